package dev.spatz.kernel;

import org.nd4j.linalg.api.buffer.DataType;

class Nd4jKernelsFloat64Test extends KernelsTest {
  Nd4jKernelsFloat64Test() {
    super(DataType.DOUBLE, 1e-12);
  }

  @Override
  Kernels create() {
    return new Nd4jKernels();
  }
}
