package dev.spatz.generation;

import dev.spatz.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The log-probabilities of one place in a text, taken before the logits are changed. */
final class TokenRecorder {
  private final Tokenizer tokenizer;
  private final double[] logProbabilities;
  private final List<TokenScore> alternatives = new ArrayList<>();

  private TokenRecorder(Tokenizer tokenizer, float[] logits, int count) {
    this.tokenizer = tokenizer;
    this.logProbabilities = new double[logits.length];
    Candidates candidates = new Candidates(logits.length);
    candidates.load(logits, 0);
    double logSum = candidates.largestLogit() + Math.log(candidates.weigh());
    for (int id = 0; id < logits.length; id++) {
      logProbabilities[id] = logits[id] - logSum;
    }
    if (count > 0) {
      candidates.keepLikeliest(count);
      for (int i = 0; i < candidates.count(); i++) {
        alternatives.add(score(candidates.id(i)));
      }
    }
  }

  /** A recorder, if the configuration wants one. */
  static @Nullable TokenRecorder of(GenerationConfig config, float[] logits, Tokenizer tokenizer) {
    Integer count = config.alternatives();
    return count == null ? null : new TokenRecorder(tokenizer, logits, count);
  }

  GeneratedToken record(int id) {
    return new GeneratedToken(score(id), alternatives);
  }

  private TokenScore score(int id) {
    return new TokenScore(id, tokenizer.decode(id), logProbabilities[id]);
  }
}
