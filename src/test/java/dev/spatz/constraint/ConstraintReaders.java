package dev.spatz.constraint;

import dev.spatz.UntrustedInput;
import dev.spatz.tokenizer.CharacterTokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** What reads the notations of constraints; the constraint then writes a few texts. */
public enum ConstraintReaders implements UntrustedInput.Reader {
  /** A regular expression. */
  REGEX {
    @Override
    Constraint constraint(String text) {
      return Constraint.regex(text);
    }
  },

  /** A JSON schema. */
  JSON_SCHEMA {
    @Override
    Constraint constraint(String text) {
      return Constraint.jsonSchema(text);
    }
  },

  /** A grammar in llama.cpp's notation. */
  GBNF {
    @Override
    Constraint constraint(String text) {
      return Constraint.grammar(text);
    }
  };

  private static final CharacterTokenizer CHARACTERS =
      CharacterTokenizer.learn(List.of("{}[]\":,.-+eE0123456789 abcdefghijklmnopqrstuvwxyzé\n"));

  private static final int TOKENS = 20;

  abstract Constraint constraint(String text);

  @Override
  public void read(Path directory, byte[] input) {
    Constraint constraint = constraint(new String(input, StandardCharsets.UTF_8));
    TokenConstraint tokens = constraint.forTokens(CHARACTERS);
    for (int seed = 0; seed < 2; seed++) {
      Writer.write(CHARACTERS, tokens, TOKENS, new Random(seed));
    }
  }

  @Override
  public boolean namesFile() {
    return false;
  }

  /** The nodes of a grammar are bounded, not by its length: a repetition says how many. */
  @Override
  public long mostBytes(int length) {
    return 1L << 30;
  }
}
