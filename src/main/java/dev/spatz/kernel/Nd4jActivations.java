package dev.spatz.kernel;

import static dev.spatz.kernel.Nd4jMath.exp;
import static dev.spatz.kernel.Nd4jMath.sigmoid;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Erf;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * GELU and SwiGLU, composed: ND4J's {@code PreciseGELU} cubes 0.044715·x, and its {@code GELU} is a
 * third form.
 */
final class Nd4jActivations {
  private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
  private static final double CUBIC = 0.044715;
  private static final int A = 0;
  private static final int B = 1;
  private static final int C = 2;

  private final Nd4jScratch scratch = new Nd4jScratch();

  void gelu(Gelu form, INDArray x, INDArray y) {
    INDArray gate = gate(form, x);
    x.muli(gate, y);
  }

  void geluBackward(Gelu form, INDArray dY, INDArray x, INDArray dX) {
    INDArray slope = gate(form, x);
    INDArray steepness = scratch.like(B, x);
    x.muli(x, steepness);
    if (form == Gelu.EXACT) {
      // gate′ = e^(−x²/2)/√(2π)
      steepness.muli(-0.5);
      exp(steepness);
      steepness.muli(1 / Math.sqrt(2 * Math.PI));
    } else {
      // gate′ = gate·(1 − gate)·2·√(2/π)·(1 + 3·0.044715·x²)
      steepness.muli(3 * CUBIC);
      steepness.addi(1);
      steepness.muli(2 * SQRT_2_OVER_PI);
      INDArray bell = scratch.like(C, x);
      slope.rsubi(1, bell);
      steepness.muli(bell);
      steepness.muli(slope);
    }
    // (x·gate)′ = gate + x·gate′
    steepness.muli(x);
    slope.addi(steepness);
    dY.muli(slope, dX);
  }

  /** What x is multiplied by. */
  private INDArray gate(Gelu form, INDArray x) {
    INDArray gate = scratch.like(A, x);
    if (form == Gelu.EXACT) {
      // Φ(x) = (1 + erf(x/√2))/2
      x.muli(Math.sqrt(0.5), gate);
      Nd4j.exec(new Erf(gate, gate));
      gate.addi(1);
      gate.muli(0.5);
    } else {
      // (1 + tanh u)/2 = 1/(1 + e⁻²ᵘ)
      x.muli(x, gate);
      gate.muli(CUBIC);
      gate.addi(1);
      gate.muli(x);
      gate.muli(2 * SQRT_2_OVER_PI);
      sigmoid(gate);
    }
    return gate;
  }

  void swiGlu(INDArray gateUp, INDArray y) {
    INDArray gate = half(gateUp, 0);
    Tensors.copy(gate, y);
    sigmoid(y);
    y.muli(gate);
    y.muli(half(gateUp, 1));
  }

  void swiGluBackward(INDArray dY, INDArray gateUp, INDArray dGateUp) {
    INDArray gate = scratch.like(A, dY);
    Tensors.copy(half(gateUp, 0), gate);
    INDArray sigmoid = scratch.like(B, dY);
    Tensors.copy(gate, sigmoid);
    sigmoid(sigmoid);
    // dUp = dY·g·σ
    INDArray product = scratch.like(C, dY);
    gate.muli(sigmoid, product);
    product.muli(dY);
    Tensors.copy(product, half(dGateUp, 1));
    // dGate = dY·up·σ·(1 + g·(1 − σ))
    sigmoid.rsubi(1, product);
    product.muli(gate);
    product.addi(1);
    product.muli(sigmoid);
    product.muli(dY);
    product.muli(half(gateUp, 1));
    Tensors.copy(product, half(dGateUp, 0));
  }

  /** Columns 0…F−1 or F…2F−1. */
  private static INDArray half(INDArray gateUp, int index) {
    long width = gateUp.size(1) / 2;
    return gateUp.get(
        NDArrayIndex.all(), NDArrayIndex.interval(index * width, (index + 1) * width));
  }

  /** Bytes off the heap. */
  long bytes() {
    return scratch.bytes();
  }

  void close() {
    scratch.close();
  }
}
