package dev.spatz.generation;

import java.util.BitSet;
import java.util.Map;

/** Steps that change logits, before any token is removed. */
final class LogitStep {
  private LogitStep() {}

  /** Adds to the logits of some ids. */
  record Bias(Map<Integer, Double> biases) implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      biases.forEach((id, bias) -> candidates.setLogit(id, candidates.logit(id) + bias));
    }
  }

  /**
   * Repetition, frequency and presence.
   *
   * @param counts memory for one number a token of the vocabulary, all 0 between calls
   */
  record Repetition(Penalties penalties, TokenHistory history, int[] counts)
      implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      int from = Math.max(0, history.length() - penalties.window());
      for (int i = from; i < history.length(); i++) {
        count(history.get(i), 1);
      }
      for (int i = from; i < history.length(); i++) {
        int id = history.get(i);
        if (id < counts.length && counts[id] > 0) {
          candidates.setLogit(id, penalized(candidates.logit(id), counts[id]));
          counts[id] = 0;
        }
      }
    }

    /** The prompt may have ids of the model's padding. */
    private void count(int id, int times) {
      if (id < counts.length) {
        counts[id] += times;
      }
    }

    private double penalized(double logit, int count) {
      double repeated = logit > 0 ? logit / penalties.repetition() : logit * penalties.repetition();
      return repeated - count * penalties.frequency() - penalties.presence();
    }
  }

  /** Forbids what would complete a run of n tokens that the text has already. */
  record NoRepeatNgram(int n, TokenHistory history, int vocabularySize) implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      int end = history.length();
      for (int last = n - 1; last < end; last++) {
        if (history.get(last) < vocabularySize && repeats(last, end)) {
          candidates.setLogit(history.get(last), Double.NEGATIVE_INFINITY);
        }
      }
    }

    /** Whether the n − 1 tokens before {@code last} are those before {@code end}. */
    private boolean repeats(int last, int end) {
      for (int back = 1; back < n; back++) {
        if (history.get(last - back) != history.get(end - back)) {
          return false;
        }
      }
      return true;
    }
  }

  /** "Don't repeat yourself". */
  static final class DryPenalty implements SamplingStep {
    /** Beyond this a penalty means the same, and floats stay finite. */
    private static final double LARGEST = 1e6;

    private final Dry dry;
    private final TokenHistory history;
    private final BitSet breakers;
    private final int[] longest;
    private int[] matches = new int[64];

    /**
     * A penalty.
     *
     * @param breakers ids that end a run
     */
    DryPenalty(Dry dry, TokenHistory history, BitSet breakers, int vocabularySize) {
      this.dry = dry;
      this.history = history;
      this.breakers = breakers;
      this.longest = new int[vocabularySize];
    }

    @Override
    public void apply(Candidates candidates) {
      int length = Math.min(history.length(), dry.window());
      int limit = 0; // a run has no breaker
      while (limit < length && !breakers.get(back(limit))) {
        limit++;
      }
      findMatches(length);
      for (int i = 1; i < length; i++) {
        int next = back(i - 1);
        int run = Math.min(matches[i], limit);
        if (run >= dry.allowedLength() && next < longest.length) {
          longest[next] = Math.max(longest[next], run);
        }
      }
      for (int i = 1; i < length; i++) {
        int next = back(i - 1);
        if (next < longest.length && longest[next] > 0) {
          double growth = Math.pow(dry.base(), longest[next] - dry.allowedLength());
          double penalty = Math.min(dry.multiplier() * growth, LARGEST);
          candidates.setLogit(next, candidates.logit(next) - penalty);
          longest[next] = 0;
        }
      }
    }

    /** The token {@code i} before the last. */
    private int back(int i) {
      return history.get(history.length() - 1 - i);
    }

    /**
     * How far the text read backwards agrees with itself read from {@code i} back: Z (Gusfield).
     */
    private void findMatches(int length) {
      if (matches.length < length) {
        matches = new int[Math.multiplyExact(2, length)];
      }
      int left = 0;
      int right = 0;
      for (int i = 1; i < length; i++) {
        int match = i < right ? Math.min(right - i, matches[i - left]) : 0;
        while (i + match < length && back(match) == back(i + match)) {
          match++;
        }
        matches[i] = match;
        if (i + match > right) {
          left = i;
          right = i + match;
        }
      }
    }
  }
}
