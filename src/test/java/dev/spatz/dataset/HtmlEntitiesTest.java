package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HtmlEntitiesTest {
  /** The expected values are those of Python's html.unescape. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "&amp;&lt;&gt;&quot;&apos;&#39;|&<>\"''",
        "a&nbsp;b&hellip;|a\u00A0b…",
        "&#8217;&#x2019;&#X2019;&#x1F600;&#128512;|’’’😀😀",
        "&amp;lt;|&lt;",
        "&&amp;&x|&&&x",
        "&auml;&Ouml;&szlig;&yuml;&eacute;|äÖßÿé",
        "&frac12;&times;&divide;&thorn;&iexcl;&sup1;|½×÷þ¡¹",
        "&ndash;&mdash;&lsquo;&rsquo;&ldquo;&rdquo;&bdquo;&sbquo;|–—‘’“”„‚",
        "&bull;&euro;&trade;&hearts;&rarr;&OElig;|•€™♥→Œ",
        "&#146;&#x80;&#159;|’€Ÿ",
        "&#0000038;|&",
      })
  void knownReference_isDecodedOnce(String text, String expected) {
    assertEquals(expected, HtmlEntities.decode(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "&",
        "&;",
        "AT&T; x",
        "&unknown;",
        "&amp",
        "&AMPX;",
        "& amp;",
        "&#;",
        "&#x;",
        "&#xg;",
        "&#-1;",
        "&#xD800;",
        "&#0;",
        "&#1114112;",
        "&#99999999;",
        "&#129;",
        "&#٣٩;",
        "a;b&",
        "&verylongnameofanentity;"
      })
  void otherReference_stays(String text) {
    assertEquals(text, HtmlEntities.decode(text));
  }

  @Test
  void decoding_ofManyAmpersands_takesLinearTime() {
    String text = "&".repeat(5_000_000) + ";";
    assertEquals(text, HtmlEntities.decode(text)); // quadratic time would be hours
  }
}
