package dev.spatz.generation;

import dev.spatz.kernel.CounterRandom;

/** A step from all tokens to those that are drawn from, in the order of the steps below. */
@FunctionalInterface
interface SamplingStep {
  /** Changes or removes candidates, of which there is at least one; at least one is left. */
  void apply(Candidates candidates);

  /** Removes what earlier steps have forbidden; the only step that may leave nothing. */
  record RemoveForbidden() implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      candidates.removeForbidden();
    }
  }

  /** Keeps logits within some standard deviations of the largest. */
  record TopNSigma(double n) implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      int count = candidates.count();
      double sum = 0;
      for (int i = 0; i < count; i++) {
        sum += candidates.logit(i);
      }
      double mean = sum / count;
      double squares = 0;
      for (int i = 0; i < count; i++) {
        squares += (candidates.logit(i) - mean) * (candidates.logit(i) - mean);
      }
      candidates.keepFrom(candidates.largestLogit() - n * Math.sqrt(squares / count));
    }
  }

  /** Keeps the k likeliest. */
  record TopK(int k) implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      candidates.keepLikeliest(k);
    }
  }

  /**
   * Keeps those whose surprise −ln p is nearest to its expectation, the entropy.
   *
   * @param distances memory for one number a token of the vocabulary
   */
  record Typical(double p, double[] distances) implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      int count = candidates.count();
      double sum = candidates.weigh();
      double entropy = 0;
      for (int i = 0; i < count; i++) {
        double probability = candidates.weight(i) / sum;
        double surprise = probability == 0 ? 0 : -Math.log(probability);
        distances[i] = probability == 0 ? Double.POSITIVE_INFINITY : surprise;
        entropy += probability * surprise;
      }
      for (int i = 0; i < count; i++) {
        distances[i] = Math.abs(distances[i] - entropy);
      }
      candidates.keepNearest(distances, p);
    }
  }

  /** Keeps the fewest likeliest whose probabilities reach p. */
  record TopP(double p) implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      candidates.keepProbability(p);
    }
  }

  /** Keeps those at least p times as likely as the likeliest. */
  record MinP(double p) implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      candidates.keepFrom(candidates.largestLogit() + Math.log(p));
    }
  }

  /** Now and then removes all that reach a threshold, but for the least likely of them. */
  record ExcludeTop(Xtc xtc, CounterRandom random) implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      if (random.uniform(candidates.index()) >= xtc.probability()) {
        return;
      }
      double least =
          candidates.largestLogit() + Math.log(xtc.threshold() * candidates.weigh()); // in logits
      int spared = -1;
      for (int i = 0; i < candidates.count(); i++) {
        if (candidates.logit(i) >= least
            && (spared < 0 || candidates.logit(i) <= candidates.logit(spared))) {
          spared = i;
        }
      }
      if (spared >= 0) {
        candidates.removeFrom(least, spared);
      }
    }
  }

  /** Divides the logits. */
  record Temperature(double temperature) implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      candidates.divide(temperature);
    }
  }

  /** Keeps the likeliest, the first of equals: temperature 0. */
  record Likeliest() implements SamplingStep {
    @Override
    public void apply(Candidates candidates) {
      int best = 0;
      for (int i = 1; i < candidates.count(); i++) {
        if (candidates.logit(i) > candidates.logit(best)) {
          best = i;
        }
      }
      candidates.keepOnly(best);
    }
  }
}
