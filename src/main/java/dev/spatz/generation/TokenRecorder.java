package dev.spatz.generation;

import dev.spatz.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Lists the generated tokens of one text, with log-probabilities of the unchanged logits. */
final class TokenRecorder {
  private final Tokenizer tokenizer;
  private final int count;
  private final float[] logits;
  private final Candidates candidates;
  private final List<GeneratedToken> tokens = new ArrayList<>();

  private TokenRecorder(Tokenizer tokenizer, int count) {
    this.tokenizer = tokenizer;
    this.count = count;
    this.logits = new float[tokenizer.vocabularySize()];
    this.candidates = new Candidates(logits.length);
  }

  /** A recorder, if the configuration wants one. */
  static @Nullable TokenRecorder of(GenerationConfig config, Tokenizer tokenizer) {
    Integer count = config.alternatives();
    return count == null ? null : new TokenRecorder(tokenizer, count);
  }

  /** Keeps the logits of the next token, before any step changes them. */
  void keep(float[] unchanged) {
    System.arraycopy(unchanged, 0, logits, 0, logits.length);
  }

  /** The token was drawn. */
  void record(int id) {
    double logSum = LogSoftmax.logSum(logits);
    List<TokenScore> alternatives = new ArrayList<>();
    if (count > 0) {
      candidates.load(logits, 0);
      candidates.keepLikeliest(count);
      for (int i = 0; i < candidates.count(); i++) {
        alternatives.add(score(candidates.id(i), logSum));
      }
    }
    tokens.add(new GeneratedToken(score(id, logSum), alternatives));
  }

  private TokenScore score(int id, double logSum) {
    return new TokenScore(id, tokenizer.decode(id), logits[id] - logSum);
  }

  /** What was recorded so far. */
  List<GeneratedToken> tokens() {
    return tokens;
  }
}
