package dev.spatz.kernel;

/**
 * How the outputs of a linear map are cut.
 *
 * @param outputs of the map
 * @param width outputs of each slice but the last, which has the rest
 */
record Slices(int outputs, int width) {
  /** Weights of a slice that are worth handing to another thread (10 µs of reading). */
  private static final long ELEMENTS = 1 << 17;

  private static final int MOST = 8;

  /** Outputs that fill whole blocks of the packed layout. */
  private static final int ALIGNMENT = 64;

  static Slices of(int outputs, int inputs) {
    long count = Math.max(1, Math.min(MOST, (long) outputs * inputs / ELEMENTS));
    long width = (outputs + count - 1) / count;
    return new Slices(
        outputs, (int) Math.min(outputs, (width + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT));
  }

  int count() {
    return (outputs + width - 1) / width;
  }

  int first(int slice) {
    return slice * width;
  }

  int width(int slice) {
    return Math.min(width, outputs - first(slice));
  }
}
