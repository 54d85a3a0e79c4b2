package dev.spatz.kernel;

/**
 * How the outputs of a linear map are cut.
 *
 * @param outputs of the map
 * @param width outputs of each slice but the last, which has the rest
 */
record Slices(int outputs, int width) {
  /** Weights of a slice that are worth handing to another thread (128 KB). */
  private static final long LEAST = 1 << 14;

  /** Weights of up to {@value #FEW} slices, and of more: a call should read for a while. */
  private static final long SMALL = 1 << 16;

  private static final long LARGE = 1 << 17;
  private static final int FEW = 8;
  private static final int MOST = 32;

  /** Outputs that fill whole blocks of the packed layout. */
  private static final int ALIGNMENT = 64;

  /** An even number of slices where it is small, so that two threads get equal shares. */
  static Slices of(int outputs, int inputs) {
    long weights = (long) outputs * inputs;
    int blocks = (outputs + ALIGNMENT - 1) / ALIGNMENT;
    if (blocks == 1 || weights < 2 * LEAST) {
      return new Slices(outputs, outputs);
    }
    long count =
        Math.max(2, Math.max(Math.min(FEW, weights / SMALL), Math.min(MOST, weights / LARGE)));
    int width = (int) ((blocks + count - 1) / count);
    while (count <= FEW && (blocks + width - 1) / width % 2 == 1) {
      width++;
    }
    return new Slices(outputs, Math.min(outputs, width * ALIGNMENT));
  }

  int count() {
    return (outputs + width - 1) / width;
  }

  int first(int slice) {
    return slice * width;
  }

  /** Outputs of some slices. */
  int width(int slice, int slices) {
    return Math.min(slices * width, outputs - first(slice));
  }
}
