package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.spatz.kernel.CounterRandom;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The vectors of llama.cpp's tests/test-sampling.cpp, on the steps themselves. */
class SamplingStepTest {
  private static final double[] RISING = {0.1, 0.2, 0.3, 0.4};

  /** The probabilities by id after a step, 0 for what it has removed. */
  private static double[] after(SamplingStep step, double... probabilities) {
    float[] logits = new float[probabilities.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.log(probabilities[i]);
    }
    Candidates candidates = new Candidates(logits.length);
    candidates.load(logits, 0);
    step.apply(candidates);
    double sum = candidates.weigh();
    double[] result = new double[logits.length];
    for (int i = 0; i < candidates.count(); i++) {
      result[candidates.id(i)] = candidates.weight(i) / sum;
    }
    return result;
  }

  private static void assertAfter(double[] expected, SamplingStep step, double... probabilities) {
    assertArrayEquals(expected, after(step, probabilities), 1e-5);
  }

  private static double[] of(double... values) {
    return values;
  }

  private static double[] uniform(int count) {
    double[] result = new double[count];
    Arrays.fill(result, 1.0 / count);
    return result;
  }

  @Test
  void topK_keepsTheLikeliest() {
    assertAfter(of(0, 0, 0, 1), new SamplingStep.TopK(1), RISING);
    assertAfter(of(0, 0.22222, 0.33333, 0.44444), new SamplingStep.TopK(3), RISING);
    assertAfter(RISING, new SamplingStep.TopK(9), RISING);
  }

  /** 0.4 + 0.3 is 0.7 only up to rounding. */
  @Test
  void topP_keepsTheFewestThatReachIt() {
    assertAfter(of(0, 0, 0, 1), new SamplingStep.TopP(0), RISING);
    assertAfter(of(0, 0, 0.428571, 0.571429), new SamplingStep.TopP(0.7 - 1e-6), RISING);
    assertAfter(of(0, 0.22222, 0.33333, 0.44444), new SamplingStep.TopP(0.8), RISING);
  }

  @Test
  void minP_keepsARatioAndAlwaysTheBest() {
    assertAfter(of(0, 2 / 9.0, 3 / 9.0, 4 / 9.0), new SamplingStep.MinP(0.26), RISING);
    assertAfter(of(0, 0, 3 / 7.0, 4 / 7.0), new SamplingStep.MinP(0.51), RISING);
    assertAfter(of(0, 0, 0, 1), new SamplingStep.MinP(1.05), RISING);
  }

  @Test
  void temperature_sharpensAndZeroIsTheLikeliest() {
    assertAfter(of(0, 0, 0, 1), new SamplingStep.Likeliest(), RISING);
    assertAfter(RISING, new SamplingStep.Temperature(1), RISING);
    assertAfter(
        of(1 / 30.0, 4 / 30.0, 9 / 30.0, 16 / 30.0), new SamplingStep.Temperature(0.5), RISING);
  }

  @Test
  void topNSigma_keepsTheDeviationsBelowTheLargest() {
    assertAfter(of(0, 0, 0.428571, 0.571429), new SamplingStep.TopNSigma(1), RISING);
    assertAfter(RISING, new SamplingStep.TopNSigma(3), RISING);
  }

  @Test
  void typical_keepsTheExpectedSurprise() {
    double third = 1 / 3.0;
    assertAfter(
        of(0, third, third, third),
        new SamplingStep.Typical(0.5, new double[4]),
        0.4,
        0.2,
        0.2,
        0.2);
  }

  @Test
  void xtc_leavesTheLeastLikelyOfTheTop() {
    CounterRandom random = CounterRandom.of(1);
    SamplingStep low = new SamplingStep.ExcludeTop(new Xtc(0.99, 0.09), random);
    assertAfter(of(0, 0, 0, 1), low, 0.4, 0.3, 0.2, 0.1);
    SamplingStep middle = new SamplingStep.ExcludeTop(new Xtc(0.99, 0.21), random);
    assertAfter(of(0, 0.5, 2 / 6.0, 1 / 6.0), middle, 0.4, 0.3, 0.2, 0.1);
    SamplingStep never = new SamplingStep.ExcludeTop(new Xtc(0, 0.09), random);
    assertAfter(RISING, never, RISING);
  }

  @Test
  void repetition_multipliesNegativeLogits() {
    Penalties penalties = Penalties.NONE.withRepetition(50);
    SamplingStep step =
        new LogitStep.Repetition(penalties, new TokenHistory(0, 1, 2, 0), new int[5]);
    assertAfter(of(0, 0, 0, 0.5, 0.5), step, uniform(5));
    assertAfter(of(0, 0, 0, 0.5, 0.5), step, uniform(5)); // the counts are 0 again
  }

  @Test
  void repetition_countsAndForgetsBeyondItsWindow() {
    Penalties penalties = Penalties.NONE.withFrequency(5).withPresence(5);
    SamplingStep once = new LogitStep.Repetition(penalties, new TokenHistory(0), new int[5]);
    assertAfter(of(0.000011, 0.249997, 0.249997, 0.249997, 0.249997), once, uniform(5));
    SamplingStep last =
        new LogitStep.Repetition(penalties.withWindow(1), new TokenHistory(3, 3, 3, 0), new int[5]);
    assertAfter(of(0.000011, 0.249997, 0.249997, 0.249997, 0.249997), last, uniform(5));
  }

  private static SamplingStep dry(int allowedLength, BitSet breakers, int... history) {
    Dry dry = Dry.NONE.withMultiplier(1).withBase(1.1).withAllowedLength(allowedLength);
    return new LogitStep.DryPenalty(dry, new TokenHistory(history), breakers, 4);
  }

  @Test
  void dry_penalizesWhatLengthensARepetition() {
    double[] expected = {0.296923, 0.296923, 0.109232, 0.296923};
    assertAfter(expected, dry(2, new BitSet(), 0, 1, 2, 0, 1), uniform(4));
    assertAfter(uniform(4), dry(3, new BitSet(), 0, 1, 2, 0, 1), uniform(4));
  }

  @Test
  void dry_runsEndAtBreakers() {
    BitSet breakers = new BitSet();
    breakers.set(1);
    assertAfter(uniform(4), dry(2, breakers, 0, 1, 2, 0, 1), uniform(4));
  }

  @Test
  void noRepeatNgram_forbidsItsCompletion() {
    SamplingStep step = new LogitStep.NoRepeatNgram(3, new TokenHistory(0, 1, 2, 0, 1), 4);
    double third = 1 / 3.0;
    assertAfter(of(third, third, 0, third), step, uniform(4));
  }

  @Test
  void bias_addsAndForbids() {
    SamplingStep step = new LogitStep.Bias(Map.of(0, Math.log(3), 1, Double.NEGATIVE_INFINITY));
    assertAfter(of(0.6, 0, 0.2, 0.2), step, uniform(4));
  }

  /** Partial selection finds what a full sort finds. */
  @Test
  void selection_agreesWithSorting() {
    int size = 5000;
    float[] logits = new float[size];
    CounterRandom random = CounterRandom.of(3);
    Integer[] order = new Integer[size];
    for (int i = 0; i < size; i++) {
      logits[i] = Math.round(random.gaussian(i) * 100) / 50f; // many equal ones
      order[i] = i;
    }
    Arrays.sort(
        order, (a, b) -> logits[a] == logits[b] ? a - b : Float.compare(logits[b], logits[a]));
    for (int k : new int[] {1, 2, 63, 64, 65, 300, 4999, 5000}) {
      Candidates candidates = new Candidates(size);
      candidates.load(logits, 0);
      candidates.keepLikeliest(k);
      assertEquals(k, candidates.count());
      for (int i = 0; i < k; i++) {
        assertEquals(order[i], candidates.id(i));
      }
    }
  }
}
