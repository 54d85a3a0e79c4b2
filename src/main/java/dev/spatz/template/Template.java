package dev.spatz.template;

import java.time.LocalDateTime;
import java.util.Map;

/**
 * A template in the language Jinja. Immutable and safe for use by many threads.
 *
 * <pre>{@code
 * Text text = Template.parse("{{ greeting | upper }}, {{ name }}!")
 *     .render(Map.of("greeting", "Hello", "name", Text.of("Spatz", 1)));
 * text.toString();  // HELLO, Spatz!
 * text.originAt(7); // 1
 * }</pre>
 */
public final class Template {
  private final Node.Block nodes;
  private final boolean generation;

  private Template(Node.Block nodes, boolean generation) {
    this.nodes = nodes;
    this.generation = generation;
  }

  /**
   * Reads a template.
   *
   * @throws TemplateException if it is malformed, or uses what is not implemented; the message has
   *     the line
   */
  public static Template parse(String source) {
    Parser parser = new Parser(Lexer.tokens(source));
    return new Template(parser.template(), parser.hasGeneration());
  }

  /** Whether it has {@code {% generation %}} blocks, which enclose what a model is to say. */
  public boolean hasGeneration() {
    return generation;
  }

  /**
   * Renders it.
   *
   * @param variables strings, {@link Text texts}, numbers, booleans, null, and lists and maps of
   *     these; a string counts as the template's own
   * @throws TemplateException if it raises an error, which is then the message; if it uses a value
   *     as what it is not; if it does too much
   */
  public Text render(Map<String, ?> variables) {
    Scope scope = new Scope(new Budget());
    Functions.at(LocalDateTime.now()).forEach(scope::set);
    variables.forEach((name, value) -> scope.set(name, Values.of(value)));
    return nodes.text(scope);
  }
}
