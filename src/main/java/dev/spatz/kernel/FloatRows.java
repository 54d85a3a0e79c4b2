package dev.spatz.kernel;

/** Operations on float32 rows picked by index, as Java loops over one row at a time. */
final class FloatRows {
  private final NativeFloats memory;
  private float[] a = new float[0];
  private float[] b = new float[0];
  private float[] c = new float[0];

  FloatRows(NativeFloats memory) {
    this.memory = memory;
  }

  /** Without a position table its address is 0. */
  void embed(int[] ids, int[] positions, int width, long tokens, long positionTable, long out) {
    for (int r = 0; r < ids.length; r++) {
      memory.copy(row(tokens, ids[r], width), row(out, r, width), width);
    }
    if (positionTable != 0) {
      int count;
      for (int r = 0; r < ids.length; r += count) {
        count = run(positions, r, width);
        memory.add(row(out, r, width), row(positionTable, positions[r], width), count * width);
      }
    }
  }

  /** A table that gets no gradient has the address 0. */
  void embedBackward(
      long dOut, int[] ids, int[] positions, int width, long dTokens, long dPositionTable) {
    if (dTokens != 0) {
      for (int r = 0; r < ids.length; r++) {
        memory.add(row(dTokens, ids[r], width), row(dOut, r, width), width);
      }
    }
    if (dPositionTable != 0) {
      int count;
      for (int r = 0; r < ids.length; r += count) {
        count = run(positions, r, width);
        memory.add(row(dPositionTable, positions[r], width), row(dOut, r, width), count * width);
      }
    }
  }

  /** How many rows from one on have consecutive positions, of as many as fit into a block. */
  private static int run(int[] positions, int from, int width) {
    int most = Math.min(positions.length - from, Math.max(1, NativeFloats.BLOCK / width));
    int count = 1;
    while (count < most && positions[from + count] == positions[from] + count) {
      count++;
    }
    return count;
  }

  /** Turns by the positions' angles times {@code direction}, 1 or −1. */
  void rotate(
      long x,
      int width,
      int[] positions,
      int heads,
      int half,
      long cosines,
      long sines,
      float direction) {
    room(width);
    for (int r = 0; r < positions.length; r++) {
      long at = row(x, r, width);
      memory.read(at, a, 0, 2 * half * heads);
      memory.read(row(cosines, positions[r], half), b, 0, half);
      memory.read(row(sines, positions[r], half), c, 0, half);
      for (int head = 0; head < heads; head++) {
        turn(a, 2 * half * head, half, b, c, direction);
      }
      memory.write(at, a, 0, 2 * half * heads);
    }
  }

  private static void turn(
      float[] x, int from, int half, float[] cosines, float[] sines, float direction) {
    for (int i = 0; i < half; i++) {
      float first = x[from + i];
      float second = x[from + half + i];
      float sine = direction * sines[i];
      x[from + i] = first * cosines[i] - second * sine;
      x[from + half + i] = second * cosines[i] + first * sine;
    }
  }

  /**
   * Multiplies each element by the dropout's factor of its index, from {@code index} on; {@code
   * out} may be {@code x}.
   */
  void dropout(long x, long rows, int width, long index, Dropout dropout, long out) {
    room(width);
    float kept = (float) (1 / (1 - dropout.rate()));
    for (long r = 0; r < rows; r++) {
      memory.read(row(x, r, width), a, 0, width);
      long first = index + r * width;
      for (int i = 0; i < width; i++) {
        a[i] = dropout.drops(first + i) ? 0 : a[i] * kept;
      }
      memory.write(row(out, r, width), a, 0, width);
    }
  }

  private static long row(long address, long row, int width) {
    return address + Float.BYTES * row * width;
  }

  private void room(int width) {
    if (a.length < width) {
      a = new float[width];
      b = new float[width];
      c = new float[width];
    }
  }
}
