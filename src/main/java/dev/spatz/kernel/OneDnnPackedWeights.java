package dev.spatz.kernel;

import org.bytedeco.javacpp.BytePointer;

/** Weights in oneDNN's own layout for them, one slice after the other. */
final class OneDnnPackedWeights implements PackedWeights {
  private static final int ALIGNMENT = 64;

  final Slices slices;
  final int inputs;
  final WeightPrecision precision;

  /** Of int8 weights the scale of every output; else empty. */
  final float[] scales;

  private final long[] offsets;
  private final BytePointer memory;

  /** Room for slices of these sizes in bytes. */
  OneDnnPackedWeights(Slices slices, int inputs, WeightPrecision precision, long[] sizes) {
    this.slices = slices;
    this.inputs = inputs;
    this.precision = precision;
    this.scales = new float[precision == WeightPrecision.INT8 ? slices.outputs() : 0];
    this.offsets = new long[sizes.length + 1];
    for (int i = 0; i < sizes.length; i++) {
      offsets[i + 1] = (offsets[i] + sizes[i] + ALIGNMENT - 1) & -ALIGNMENT;
    }
    this.memory = new BytePointer(offsets[sizes.length] + ALIGNMENT);
  }

  /** Where a slice begins. */
  long address(int slice) {
    if (memory.isNull()) {
      throw new IllegalStateException("the packed weights are closed");
    }
    return ((memory.address() + ALIGNMENT - 1) & -ALIGNMENT) + offsets[slice];
  }

  @Override
  public int slices() {
    return slices.count();
  }

  @Override
  public long bytes() {
    return offsets[slices.count()] + (long) scales.length * Float.BYTES;
  }

  @Override
  public void close() {
    memory.close();
  }
}
