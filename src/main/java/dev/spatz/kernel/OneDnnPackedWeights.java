package dev.spatz.kernel;

/** Weights in oneDNN's own layout for them, one slice after the other. */
final class OneDnnPackedWeights implements PackedWeights {
  final Slices slices;
  final int inputs;
  final WeightPrecision precision;

  /** Whether all slices together have oneDNN's layout for all outputs. */
  final boolean joined;

  /** Of int8 weights the scale of every output; else empty. */
  final float[] scales;

  private final long[] offsets;
  private final NativeBuffer memory;

  /** Room for slices of these sizes in bytes. */
  OneDnnPackedWeights(
      Slices slices, int inputs, WeightPrecision precision, long[] sizes, boolean joined) {
    this.slices = slices;
    this.inputs = inputs;
    this.precision = precision;
    this.joined = joined;
    this.scales = new float[precision == WeightPrecision.INT8 ? slices.outputs() : 0];
    this.offsets = new long[sizes.length + 1];
    for (int i = 0; i < sizes.length; i++) {
      offsets[i + 1] = NativeBuffer.aligned(offsets[i] + sizes[i]);
    }
    this.memory = new NativeBuffer(offsets[sizes.length]);
  }

  /** Where a slice begins. */
  long address(int slice) {
    return memory.address() + offsets[slice];
  }

  @Override
  public int slices() {
    return slices.count();
  }

  @Override
  public long bytes() {
    return memory.bytes();
  }

  @Override
  public void close() {
    memory.close();
  }
}
