package dev.spatz.dataset;

import java.util.HashMap;
import java.util.Map;

/**
 * Decodes HTML character references as real posts contain them: numeric ones, the names of Latin-1
 * and of common punctuation. A reference that is unknown, or lacks its semicolon, stays as it is.
 *
 * @see <a href="https://html.spec.whatwg.org/multipage/named-characters.html">Named character
 *     references</a>
 */
final class HtmlEntities {
  private static final int MAX_REFERENCE = 12; // with its & and ;

  /** Names of U+00A0 to U+00FF, in order. */
  private static final String LATIN_1 =
      "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr "
          + "deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo "
          + "frac14 frac12 frac34 iquest "
          + "Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml "
          + "Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times "
          + "Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig "
          + "agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml "
          + "igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide "
          + "oslash ugrave uacute ucirc uuml yacute thorn yuml";

  /** Numbers 0x80 to 0x9F mean Windows-1252 in HTML; the five undefined ones stay. */
  private static final String WINDOWS_1252 =
      "€\u0000‚ƒ„…†‡ˆ‰Š‹Œ\u0000Ž\u0000\u0000‘’“”•–—˜™š›œ\u0000žŸ";

  private static final Map<String, String> NAMED = named();

  private HtmlEntities() {}

  /**
   * The text with each known character reference replaced, once: {@code &amp;lt;} is {@code &lt;}.
   */
  static String decode(String text) {
    int start = text.indexOf('&');
    if (start < 0) {
      return text;
    }
    StringBuilder decoded = new StringBuilder(text.length());
    int done = 0;
    for (; start >= 0; start = text.indexOf('&', start + 1)) {
      int end = semicolon(text, start);
      String character = end < 0 ? "" : character(text.substring(start + 1, end));
      if (!character.isEmpty()) {
        decoded.append(text, done, start).append(character);
        done = end + 1;
      }
    }
    return decoded.append(text, done, text.length()).toString();
  }

  private static int semicolon(String text, int start) {
    int limit = Math.min(text.length(), start + MAX_REFERENCE);
    for (int i = start; i < limit; i++) {
      if (text.charAt(i) == ';') {
        return i;
      }
    }
    return -1;
  }

  private static String character(String reference) {
    if (!reference.startsWith("#")) {
      return NAMED.getOrDefault(reference, "");
    }
    boolean hexadecimal = reference.startsWith("#x") || reference.startsWith("#X");
    int radix = hexadecimal ? 16 : 10;
    int codePoint = 0;
    for (int i = hexadecimal ? 2 : 1; i < reference.length(); i++) {
      char c = reference.charAt(i);
      int digit = c < 0x80 ? Character.digit(c, radix) : -1;
      if (digit < 0) {
        return "";
      }
      codePoint = Math.min(codePoint * radix + digit, Character.MAX_CODE_POINT + 1);
    }
    if (codePoint >= 0x80 && codePoint <= 0x9F) {
      codePoint = WINDOWS_1252.charAt(codePoint - 0x80);
    }
    boolean isCharacter =
        codePoint > 0
            && codePoint <= Character.MAX_CODE_POINT
            && !(codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE);
    return isCharacter ? Character.toString(codePoint) : "";
  }

  private static Map<String, String> named() {
    Map<String, String> named = new HashMap<>();
    char c = 0xA0;
    for (String name : LATIN_1.split(" ")) {
      named.put(name, String.valueOf(c++));
    }
    named.putAll(
        Map.of(
            "amp", "&", "lt", "<", "gt", ">", "quot", "\"", "apos", "'", "hellip", "…", "bull", "•",
            "euro", "€", "trade", "™"));
    named.putAll(
        Map.of(
            "ndash", "–", "mdash", "—", "lsquo", "‘", "rsquo", "’", "sbquo", "‚", "ldquo", "“",
            "rdquo", "”", "bdquo", "„", "lsaquo", "‹", "rsaquo", "›"));
    named.putAll(
        Map.of(
            "hearts", "♥", "larr", "←", "uarr", "↑", "rarr", "→", "darr", "↓", "minus", "−", "zwj",
            "\u200D", "zwnj", "\u200C", "ensp", "\u2002", "emsp", "\u2003"));
    named.putAll(Map.of("OElig", "Œ", "oelig", "œ", "Scaron", "Š", "scaron", "š", "Yuml", "Ÿ"));
    return Map.copyOf(named);
  }
}
