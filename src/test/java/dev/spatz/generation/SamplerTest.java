package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.CounterRandom;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.math3.stat.inference.ChiSquareTest;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final double[] PROBABILITIES = {0.1, 0.2, 0.3, 0.4};
  private static final int DRAWS = 1_000_000;

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

  /** The draws of a seed are a contract: these are the ids of the first release. */
  @Test
  void sample_theStreamOfASeedNeverChanges() {
    GenerationConfig config = GenerationConfig.defaults();
    assertIds(
        config,
        new int[] {
          3864, 2748, 4248, 4122, 4840, 3878, 1170, 3189, 1230, 679, 3545, 3138, 1217, 2998, 4854,
          1669
        });
    assertIds(
        config.withTopP(1),
        new int[] {
          3167, 2430, 2531, 3392, 4470, 3878, 4264, 1087, 158, 1816, 3145, 3138, 1217, 1012, 2739,
          1669
        });
    assertIds(
        config.withTopK(40),
        new int[] {
          4286, 2748, 782, 25, 4192, 3878, 2530, 2827, 1230, 1324, 980, 1733, 1217, 3102, 1418, 1669
        });
    assertIds(
        config.withTopK(5).withTopP(1).withTemperature(1.7),
        new int[] {
          3940, 2748, 140, 3355, 3990, 3878, 1170, 3296, 1230, 3865, 1381, 1733, 1217, 3102, 748,
          1669
        });
    assertIds(
        config.withTopP(0.5).withTemperature(1),
        new int[] {
          4286, 2748, 1124, 3902, 3990, 3878, 2530, 641, 1230, 1324, 2409, 1733, 1217, 3102, 2067,
          1669
        });
    assertIds(
        config.withTemperature(0),
        new int[] {
          3755, 2748, 1158, 3674, 2114, 3878, 4264, 163, 1230, 1816, 949, 3857, 1217, 577, 2739,
          3425
        });
  }

  private static void assertIds(GenerationConfig config, int[] expected) {
    float[] logits = new float[5000];
    Sampler sampler = new Sampler(config, logits.length, 42);
    for (int i = 0; i < expected.length; i++) {
      gaussians(logits, CounterRandom.of(7).child(i), 3);
      assertEquals(expected[i], sampler.sample(logits, i), config + ", draw " + i);
    }
  }

  @Test
  void sample_twoThousandDrawsNeverChange() {
    float[] logits = new float[3000];
    Sampler sampler = new Sampler(GenerationConfig.defaults(), logits.length, -5);
    long hash = 0;
    for (int i = 0; i < 2000; i++) {
      gaussians(logits, CounterRandom.of(8).child(i), 2.5);
      hash = hash * 31 + sampler.sample(logits, i);
    }
    assertEquals(8242716146040431460L, hash);
  }

  private static void gaussians(float[] logits, CounterRandom random, double deviation) {
    for (int id = 0; id < logits.length; id++) {
      logits[id] = (float) (deviation * random.gaussian(id));
    }
  }

  @Test
  void sample_asksTheProcessorFirst() {
    GenerationConfig only =
        plain().withLogitsProcessor((tokens, logits) -> logits[1 + tokens.remaining()] = 1000);
    Sampler sampler = new Sampler(only, 4, 0);
    assertEquals(1, sampler.sample(logits(), 0));
    assertEquals(2, sampler.sample(logits(), 1));
  }

  @Test
  void sample_saysWhenAllIsForbidden() {
    double never = Double.NEGATIVE_INFINITY;
    Sampler sampler = new Sampler(plain().withLogitBias(Map.of(0, never, 1, never)), 2, 0);
    assertEquals(Sampler.NONE, sampler.sample(new float[2], 0));
  }

  @Test
  void sample_refusesLogitsThatAreNotFinite() {
    Sampler sampler = new Sampler(plain(), 2, 0);
    assertThrows(IllegalStateException.class, () -> sampler.sample(new float[] {0, Float.NaN}, 0));
  }
}
