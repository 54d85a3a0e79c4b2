package dev.spatz.kernel;

import org.nd4j.linalg.api.buffer.DataType;

class Nd4jKernelsFloat32Test extends KernelsTest {
  Nd4jKernelsFloat32Test() {
    super(DataType.FLOAT, 5e-6);
  }

  @Override
  Kernels create() {
    return new Nd4jKernels();
  }
}
