package dev.spatz.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TemplateTest {
  private static final List<Map<String, String>> MESSAGES =
      List.of(message("user", " Hi "), message("assistant", "Yo"));

  private static Map<String, String> message(String role, String content) {
    Map<String, String> message = new LinkedHashMap<>();
    message.put("role", role);
    message.put("content", content);
    return message;
  }

  private static String render(String source) {
    Map<String, ?> variables = Map.of("messages", MESSAGES, "bos_token", "<s>");
    return Template.parse(source).render(variables).toString();
  }

  private static JsonNode expressions() throws IOException {
    try (InputStream in = TemplateTest.class.getResourceAsStream("expressions.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  /** What Jinja2 for Python gives, see {@code expressions.py}; null is an error. */
  @Test
  void everyExpression_isWhatItIsInJinja() throws IOException {
    List<String> different = new ArrayList<>();
    for (JsonNode pair : expressions()) {
      String source = pair.get(0).asText();
      String wanted = pair.get(1).isNull() ? null : pair.get(1).asText();
      try {
        String got = render(source);
        if (!got.equals(wanted)) {
          different.add(source + " is " + got + ", not " + wanted);
        }
      } catch (TemplateException e) {
        if (wanted != null) {
          different.add(source + ": " + e.getMessage());
        }
      }
    }
    assertEquals(List.of(), different);
  }

  @Test
  void characters_keepTheirOrigins_whateverIsDoneToThem() {
    String source =
        "{% macro m(x) %}<{{ x }}>{% endmacro %}{% set y %}{{ m(t | trim) }}{% endset %}{{ y }}"
            + "{{ t.split('b')[0] ~ t[::-1].strip().upper() }}{{ [t] | tojson }}"
            + "{{ t | replace('b', 'q') }}{{ [t, 'd'] | join(',') }}{{ '-' * 2 }}{{ {'k': t} }}";
    Text text = Template.parse(source).render(Map.of("t", Text.of(" ab\n", 7)));
    StringBuilder given = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      given.append(text.originAt(i) == 7 ? text.charAt(i) : '_');
    }
    assertEquals("<ab> aBA[\" ab\\n\"] aq\n ab\n,d--{'k': ' ab\\n'}", text.toString());
    assertEquals("_ab_ aBA__ ab\\n__ a_\n ab\n___________ ab\\n__", given.toString());
  }

  @Test
  void generation_isMarked() {
    Template template = Template.parse("a{% generation %}b{{ t }}{% endgeneration %}c{{ t }}");
    assertTrue(template.hasGeneration());
    Text text = template.render(Map.of("t", Text.of("t", 3)));
    assertEquals("abtct", text.toString());
    StringBuilder marks = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      marks.append(text.isGenerated(i) ? '1' : '0').append(text.originAt(i));
    }
    assertEquals("00" + "10" + "13" + "00" + "03", marks.toString());
    assertFalse(Template.parse("{{ 'generation' }}").hasGeneration());
  }

  @Test
  void date_isWrittenAsPythonDoes() {
    LocalDate before = LocalDate.now();
    String got = render("{{ strftime_now('%Y-%m-%d, %-d %% %B') }}");
    LocalDate after = LocalDate.now();
    List<String> wanted = new ArrayList<>();
    for (LocalDate day : List.of(before, after)) {
      String month = day.getMonth().toString();
      wanted.add(
          day
              + ", "
              + day.getDayOfMonth()
              + " % "
              + month.charAt(0)
              + month.substring(1).toLowerCase(java.util.Locale.ROOT));
    }
    assertTrue(wanted.contains(got), got);
    assertThrows(TemplateException.class, () -> render("{{ strftime_now('%Q') }}"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% for i in range(2000000000) %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ 'x' * 2000000000 }}",
        "{{ 'x' * 9223372036854775807 }}",
        "{{ 'xy' * 9223372036854775807 }}",
        "{% set n = namespace(x='a') %}{% for i in range(100) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x=[1]) %}{% for i in range(100) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
            + "{{ n.x }}",
        "{% set n = namespace(x=[]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
            + "{{ n.x | tojson }}",
        "{% set n = namespace(x=[]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
            + "{{ n.x }}",
        "{% set n = namespace(x=[]) %}{% set n.x = [n] %}{{ n.x == n.x }}{{ raise_exception('a') }}",
        "{{ 9 ** 999999999999 }}",
        "{{ (-1) ** 999999999999999999 + 'a' }}",
        "{{ 'a' | indent(2000000000) }}{{ raise_exception('a') }}",
        "{{ 1 | tojson(indent=2000000000) }}",
        "{{ range(1, 9, 0) }}",
        "{{ 99999999999999999999 }}",
        "{{ 9223372036854775807 + 1 }}",
        "{{ 'a'.replace('', 'b') }}",
        "{% include '/etc/passwd' %}",
        "{% import 'x' as y %}",
        "{{ messages.getClass() }}",
        "{{ bos_token.class.forName('java.lang.Runtime') }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
      })
  void hostileTemplates_endWithAnException(String source) {
    assertThrows(TemplateException.class, () -> render(source));
  }

  @Test
  void deepTemplates_areRefused() {
    for (String deep :
        List.of("(", "[", "-", "not ", "{1:", "x[", "f(", "1 if 1 else ", "a.b(", "'a' ~ (")) {
      assertThrows(
          TemplateException.class, () -> Template.parse("{{ " + deep.repeat(10_000)), deep);
    }
    for (String deep :
        List.of("{% if x %}", "{% for i in x %}", "{% set x %}", "{% macro m() %}")) {
      assertThrows(TemplateException.class, () -> Template.parse(deep.repeat(10_000)), deep);
    }
    String longSum = "{{ 1" + " + 1".repeat(10_000) + " }}";
    assertThrows(TemplateException.class, () -> render(longSum));
    String longFilters = "{{ 'a'" + " | trim".repeat(10_000) + " }}";
    assertThrows(TemplateException.class, () -> render(longFilters));
  }

  /** Whatever is done to templates, nothing but the documented exception comes out. */
  @Test
  void mutatedTemplates_giveTextOrTheDocumentedException() throws IOException {
    List<String> sources = new ArrayList<>();
    expressions().forEach(pair -> sources.add(pair.get(0).asText()));
    Random random = new Random(1);
    for (int i = 0; i < 4_000; i++) {
      String one = sources.get(random.nextInt(sources.size()));
      String other = sources.get(random.nextInt(sources.size()));
      int cut = random.nextInt(one.length() + 1);
      int from = random.nextInt(other.length() + 1);
      int to = from + random.nextInt(other.length() - from + 1);
      int after = Math.min(one.length(), cut + random.nextInt(3));
      String mutated = one.substring(0, cut) + other.substring(from, to) + one.substring(after);
      try {
        render(mutated);
      } catch (TemplateException e) {
        assertFalse(e.getMessage().isBlank(), mutated);
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError(mutated, e);
      }
    }
  }
}
