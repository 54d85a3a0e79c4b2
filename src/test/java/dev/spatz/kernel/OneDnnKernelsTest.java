package dev.spatz.kernel;

import org.nd4j.linalg.api.buffer.DataType;

class OneDnnKernelsTest extends KernelsTest {
  OneDnnKernelsTest() {
    super(DataType.FLOAT, 5e-6);
  }

  @Override
  Kernels create() {
    return new OneDnnKernels();
  }
}
