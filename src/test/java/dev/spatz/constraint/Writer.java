package dev.spatz.constraint;

import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** A model that knows nothing: it draws any allowed token. */
final class Writer {
  static final BytePairTokenizer BYTES =
      BytePairTokenizer.learn(
          List.of("{\"name\": \"Spatz\", \"alter\": 3, \"tags\": [true, false, null]} ".repeat(9)),
          330);

  private Writer() {}

  /** Text of the constraint, of at most so many tokens; empty if it is not finished with them. */
  static Optional<String> write(
      Tokenizer tokenizer, TokenConstraint constraint, int mostTokens, Random random) {
    TokenConstraint.Matcher matcher = constraint.matcher();
    int[] ids = new int[mostTokens];
    for (int i = 0; i < mostTokens; i++) {
      float[] logits = new float[tokenizer.vocabularySize()];
      matcher.forbid(logits, mostTokens - i);
      int[] allowed =
          java.util.stream.IntStream.range(0, logits.length)
              .filter(id -> logits[id] == 0)
              .toArray();
      if (allowed.length == 0) {
        return Optional.empty();
      }
      ids[i] = allowed[random.nextInt(allowed.length)];
      matcher.accept(ids[i]);
      if (ids[i] == tokenizer.endOfText()) {
        return Optional.of(tokenizer.decode(java.util.Arrays.copyOf(ids, i)));
      }
      if (matcher.isComplete()) {
        return Optional.of(tokenizer.decode(java.util.Arrays.copyOf(ids, i + 1)));
      }
    }
    return matcher.matches() ? Optional.of(tokenizer.decode(ids)) : Optional.empty();
  }
}
