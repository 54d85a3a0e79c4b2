package dev.spatz.kernel;

/**
 * A random number for every index: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011). There is no state, so numbers do not depend on the order in which they are
 * asked for, on threads, or on where a run was resumed.
 *
 * <p>A generator is a 64-bit key. Keys of independent streams are derived by {@link #child}: {@code
 * CounterRandom.of(seed).child(step).child(layer)}. The stream of a key is part of the library's
 * contract and never changes.
 *
 * @param key the 64-bit key; its low half is Philox's first key word
 */
public record CounterRandom(long key) {
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final long LOW = 0xFFFFFFFFL;
  private static final long CHILD = 1L;

  /** The generator of a seed. */
  public static CounterRandom of(long seed) {
    return new CounterRandom(seed);
  }

  /** The generator of an independent stream, one for each tag. */
  public CounterRandom child(long tag) {
    return new CounterRandom(childKey(key, tag));
  }

  /** The key of the {@link #child} of a key's generator. */
  static long childKey(long key, long tag) {
    return philox(key, tag, CHILD);
  }

  /** 64 random bits of an index. */
  public long bits(long index) {
    return philox(key, index, 0);
  }

  /** A number in [0, 1) with 53 random bits. */
  public double uniform(long index) {
    return uniform(key, index);
  }

  /** What {@link #uniform(long)} of the generator of a key gives. */
  static double uniform(long key, long index) {
    return (philox(key, index, 0) >>> 11) * 0x1p-53;
  }

  /** An integer in 0…bound−1; {@code bound} is positive. */
  public long below(long index, long bound) {
    // The high half of a 128-bit product; the bias is at most bound/2⁶⁴.
    long bits = bits(index);
    return Math.multiplyHigh(bits, bound) + ((bits >> 63) & bound);
  }

  /** A standard normal number, by the transform of Box and Muller (1958). */
  public double gaussian(long index) {
    long bits = bits(index);
    double radius = Math.sqrt(-2 * StrictMath.log(((bits >>> 32) + 0.5) * 0x1p-32));
    return radius * StrictMath.cos(2 * Math.PI * ((bits & LOW) * 0x1p-32));
  }

  /** The first 64 bits of a key's block of the 128-bit counter {@code (high, low)}. */
  static long philox(long key, long low, long high) {
    int c0 = (int) low;
    int c1 = (int) (low >>> 32);
    int c2 = (int) high;
    int c3 = (int) (high >>> 32);
    int k0 = (int) key;
    int k1 = (int) (key >>> 32);
    for (int round = 0; round < 10; round++) {
      long product0 = MULTIPLIER_0 * (c0 & LOW);
      long product1 = MULTIPLIER_1 * (c2 & LOW);
      c0 = (int) (product1 >>> 32) ^ c1 ^ k0;
      c1 = (int) product1;
      c2 = (int) (product0 >>> 32) ^ c3 ^ k1;
      c3 = (int) product0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    return (c0 & LOW) | (long) c1 << 32;
  }
}
