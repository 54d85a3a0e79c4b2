package dev.spatz.transformer;

/**
 * One named parameter and its place in the flat buffer of a set.
 *
 * @param name such as {@code layers.0.attention.qkv.weight}
 * @param offset first element in the flat buffer
 * @param rows outputs of a matrix, or the length of a vector
 * @param columns inputs of a matrix, 0 for a vector
 */
public record Parameter(String name, long offset, long rows, long columns) {
  /** Whether it is a matrix; only matrices decay. */
  public boolean matrix() {
    return columns > 0;
  }

  /** The number of elements. */
  public long size() {
    return matrix() ? rows * columns : rows;
  }

  /** Its shape, (rows, columns) or (rows). */
  public long[] shape() {
    return matrix() ? new long[] {rows, columns} : new long[] {rows};
  }
}
