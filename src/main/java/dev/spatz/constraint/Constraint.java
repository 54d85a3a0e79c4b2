package dev.spatz.constraint;

import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;

/**
 * A form that a generated text has, whatever the model: a regular expression, one of some texts, a
 * JSON schema, or a grammar. Immutable and safe for use by many threads; keep it, since what it
 * finds out about a vocabulary is kept in it.
 */
public final class Constraint {
  private final String description;
  private final Grammar grammar;
  private final Map<Tokenizer, TokenConstraint> compiled = new WeakHashMap<>();

  private Constraint(String description, Grammar grammar) {
    this.description = description;
    this.grammar = grammar;
    GrammarCompiler.compile(grammar, CodePoints.ALL); // refuses what is wrong with it now
  }

  /**
   * Texts that match a regular expression as a whole. Known are: characters, {@code .} (any but
   * line feed and carriage return), classes with ranges and {@code ^}, the escapes {@code \d \D \s
   * \S \w \W} (of ASCII), {@code \t \n \r \f}, {@code \xHH}, <code>\\u</code>{@code HHHH}, {@code
   * \x{H…}}, {@code \p{…}} and {@code \P{…}} with a general category of Unicode such as {@code L}
   * or {@code Nd}; groups, {@code |}, and {@code * + ? {m} {m,} {m,n}}, of which lazy forms mean
   * the same. {@code ^} may stand at the beginning and {@code $} at the end.
   *
   * @throws IllegalArgumentException if it is malformed or has what is not known, such as
   *     look-around and back references; the message names the place
   */
  public static Constraint regex(String expression) {
    return new Constraint(
        "regex " + expression, Grammar.of(new RegexParser(expression).parseWhole()));
  }

  /**
   * One of some texts.
   *
   * @throws IllegalArgumentException if there is none, or one has an unpaired surrogate
   */
  public static Constraint oneOf(List<String> texts) {
    if (texts.isEmpty()) {
      throw new IllegalArgumentException("there must be at least one text to choose");
    }
    List<Expression> options = new ArrayList<>();
    for (String text : texts) {
      options.add(Expression.literal(text));
    }
    return new Constraint("one of " + texts, Grammar.of(new Expression.Choice(options)));
  }

  /**
   * JSON texts that a schema describes, properties in its order, without white space but for one
   * space, perhaps, after colons and commas. Known are the keywords {@code type}, {@code enum},
   * {@code const}, {@code properties}, {@code required}, {@code additionalProperties} (only
   * declared properties are written where there are some), {@code items}, {@code minItems}, {@code
   * maxItems}, {@code minLength}, {@code maxLength}, {@code pattern}, {@code minimum} and {@code
   * maximum} of integers, {@code anyOf}, and {@code $ref} to {@code #/$defs/…} or {@code
   * #/definitions/…}; annotations such as {@code title} are passed over. Numbers have at most 15
   * digits before and after the point.
   *
   * @param schema in JSON
   * @throws IllegalArgumentException if it is malformed or has another keyword, which the message
   *     names
   */
  public static Constraint jsonSchema(String schema) {
    return new Constraint("JSON schema", JsonSchema.grammar(schema));
  }

  /**
   * Texts of a grammar in llama.cpp's notation GBNF, with the rule {@code root} for the whole.
   *
   * @throws IllegalArgumentException if it is malformed, has no rule of a name, or one that can
   *     begin with itself; the message names the line or the rule
   */
  public static Constraint grammar(String gbnf) {
    return new Constraint("grammar", new GbnfParser(gbnf).parse());
  }

  /**
   * The constraint for a vocabulary; the same object each time.
   *
   * @throws IllegalArgumentException if no text of the tokenizer's characters matches
   */
  public TokenConstraint forTokens(Tokenizer tokenizer) {
    synchronized (compiled) {
      return compiled.computeIfAbsent(
          tokenizer,
          any ->
              new TokenConstraint(
                  GrammarCompiler.compile(grammar, alphabet(tokenizer)), tokenizer));
    }
  }

  /** Byte-level tokenizers can spell everything. */
  private static CodePoints alphabet(Tokenizer tokenizer) {
    if (!(tokenizer instanceof CharacterTokenizer)) {
      return CodePoints.ALL;
    }
    CodePoints characters = new CodePoints(List.of());
    for (int id = 0; id < tokenizer.vocabularySize(); id++) {
      String text = tokenizer.decode(id);
      if (!text.isEmpty()) {
        characters = characters.or(CodePoints.of(text.codePointAt(0)));
      }
    }
    return characters;
  }

  @Override
  public String toString() {
    return description;
  }
}
