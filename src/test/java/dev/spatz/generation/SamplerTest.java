package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.math3.stat.inference.ChiSquareTest;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final double[] PROBABILITIES = {0.1, 0.2, 0.3, 0.4};
  private static final int DRAWS = 20_000;

  private static float[] logits() {
    float[] logits = new float[PROBABILITIES.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.log(PROBABILITIES[i]);
    }
    return logits;
  }

  private static long[] counts(GenerationConfig config, long seed) {
    Sampler sampler = new Sampler(config, PROBABILITIES.length, seed);
    long[] counts = new long[PROBABILITIES.length];
    float[] logits = logits();
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.sample(logits, i)]++;
    }
    return counts;
  }

  private static GenerationConfig plain() {
    return GenerationConfig.defaults().withTemperature(1).withTopP(1);
  }

  /** A draw that follows its distribution fails this once in 10⁴ seeds; the seeds are fixed. */
  private static void assertFollows(double[] expected, long[] counts) {
    double p = new ChiSquareTest().chiSquareTest(expected, counts);
    assertTrue(p > 1e-4, "p = " + p + " for " + Arrays.toString(counts));
  }

  @Test
  void sample_followsTheProbabilities() {
    assertFollows(PROBABILITIES, counts(plain(), 1));
    assertFollows(PROBABILITIES, counts(plain(), -77));
  }

  @Test
  void sample_temperatureSharpens() {
    double[] squared = Arrays.stream(PROBABILITIES).map(p -> p * p).toArray();
    assertFollows(squared, counts(plain().withTemperature(0.5), 2));
  }

  @Test
  void sample_topKKeepsTheLikeliest() {
    long[] counts = counts(plain().withTopK(2), 3);
    assertEquals(0, counts[0] + counts[1]);
    assertFollows(new double[] {3, 4}, new long[] {counts[2], counts[3]});
  }

  @Test
  void sample_topPKeepsTheFewestThatReachIt() {
    // 0.4 < 0.65 ≤ 0.4 + 0.3
    long[] counts = counts(plain().withTopP(0.65), 4);
    assertEquals(0, counts[0] + counts[1]);
    assertTrue(counts[2] > 0 && counts[3] > 0);
  }

  @Test
  void sample_smallTopPKeepsOne() {
    assertEquals(DRAWS, counts(plain().withTopP(1e-9), 5)[3]);
  }

  @Test
  void sample_temperatureZeroIsTheLikeliest() {
    assertEquals(DRAWS, counts(plain().withTemperature(0), 6)[3]);
  }

  @Test
  void sample_greedyTakesTheFirstOfEquals() {
    Sampler sampler = new Sampler(GenerationConfig.greedy(), 3, 0);
    assertEquals(1, sampler.sample(new float[] {-1, 2, 2}, 0));
  }

  @Test
  void sample_topKOrdersNegativeAndPositiveLogits() {
    float[] logits = {-3, 0.5f, -0.25f, 7, -100, 0};
    Sampler sampler = new Sampler(plain().withTopK(3).withTemperature(100), 6, 1);
    Set<Integer> drawn = new TreeSet<>();
    for (int i = 0; i < 200; i++) {
      drawn.add(sampler.sample(logits, i));
    }
    assertEquals(Set.of(1, 3, 5), drawn);
  }

  @Test
  void sample_dependsOnSeedAndIndexAlone() {
    Sampler one = new Sampler(plain(), 4, 9);
    Sampler other = new Sampler(plain(), 4, 9);
    other.sample(logits(), 1);
    assertEquals(one.sample(logits(), 7), other.sample(logits(), 7));
  }
}
