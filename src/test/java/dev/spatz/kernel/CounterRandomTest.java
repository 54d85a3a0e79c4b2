package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.LongStream;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.apache.commons.math3.stat.inference.ChiSquareTest;
import org.apache.commons.math3.stat.inference.KolmogorovSmirnovTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CounterRandomTest {
  private static final double SIGNIFICANCE = 1e-4;

  /** Random123's kat_vectors for philox4x32-10, the first two words of each result. */
  @Test
  void philox_equalsKnownAnswers() {
    assertEquals(0xe169c58d6627e8d5L, CounterRandom.of(0).bits(0));
    assertEquals(0xe169c58d6627e8d5L, CounterRandom.philox(0, 0, 0));
    assertEquals(0x41c83b0e408f276dL, CounterRandom.philox(-1, -1, -1));
    assertEquals(
        0x94fdccebd16cfe09L,
        CounterRandom.philox(0x299f31d0a4093822L, 0x85a308d3243f6a88L, 0x0370734413198a2eL));
  }

  /** From a second implementation in Python, which gives Random123's vectors too. */
  @Test
  void stream_neverChanges() {
    CounterRandom random = CounterRandom.of(42);
    assertEquals(0x77f5493b9ceaf053L, random.bits(0));
    assertEquals(0x53ba6cfdfcdb2127L, random.bits(1));
    assertEquals(0x176438358f40bd76L, random.bits(-1));
    assertEquals(0x2051e91302933769L, random.child(0).key());
    assertEquals(0xfdd21d9420ff9139L, random.child(1).key());
    assertEquals(0xc141b3e403285f09L, random.child(-1).child(3).key());
    assertEquals(0.4685865183391049, random.uniform(0));
    assertEquals(-0.9339638737475844, random.gaussian(0));
    assertEquals(1.490610372573546, random.gaussian(1));
    assertEquals(468, random.below(0, 1000));
    assertEquals(327, random.below(1, 1000));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, 42, Long.MIN_VALUE})
  void uniform_isUniform(long seed) {
    CounterRandom random = CounterRandom.of(seed);
    long[] counts = new long[100];
    for (int i = 0; i < 100_000; i++) {
      counts[(int) (random.uniform(i) * counts.length)]++;
    }
    assertUniform(counts);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 7, 1000, Long.MAX_VALUE})
  void below_isUniformWithinItsBound(long bound) {
    CounterRandom random = CounterRandom.of(3);
    long[] counts = new long[(int) Math.min(bound, 20)];
    for (int i = 0; i < 20_000; i++) {
      long value = random.below(i, bound);
      assertTrue(value >= 0 && value < bound);
      counts[(int) ((double) value / bound * counts.length)]++;
    }
    if (bound > 1) {
      assertUniform(counts);
    }
  }

  private static void assertUniform(long[] counts) {
    double[] expected = new double[counts.length];
    Arrays.fill(expected, LongStream.of(counts).sum() / (double) counts.length);
    assertTrue(new ChiSquareTest().chiSquareTest(expected, counts) > SIGNIFICANCE);
  }

  @Test
  void gaussian_isNormal() {
    CounterRandom random = CounterRandom.of(5);
    double[] values = LongStream.range(0, 20_000).mapToDouble(random::gaussian).toArray();
    double p = new KolmogorovSmirnovTest().kolmogorovSmirnovTest(new NormalDistribution(), values);
    assertTrue(p > SIGNIFICANCE, "p = " + p);
  }

  @Test
  void children_areIndependentOfEachOtherAndTheirParent() {
    CounterRandom parent = CounterRandom.of(8);
    CounterRandom[] streams = {parent, parent.child(0), parent.child(1), parent.child(0).child(1)};
    double[][] values = new double[streams.length][];
    for (int s = 0; s < streams.length; s++) {
      values[s] = LongStream.range(0, 20_000).mapToDouble(streams[s]::uniform).toArray();
    }
    for (int a = 0; a < streams.length; a++) {
      for (int b = 0; b < a; b++) {
        // Five standard deviations.
        double r = new PearsonsCorrelation().correlation(values[a], values[b]);
        assertEquals(0, r, 5 / Math.sqrt(20_000));
      }
    }
  }

  @Test
  void children_differ() {
    Set<Long> keys = new HashSet<>();
    for (int seed = 0; seed < 100; seed++) {
      for (int tag = 0; tag < 100; tag++) {
        keys.add(CounterRandom.of(seed).child(tag).key());
      }
    }
    assertEquals(10_000, keys.size());
  }
}
