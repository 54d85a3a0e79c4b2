package dev.spatz.kernel;

import static dev.spatz.kernel.Nd4jMath.gemm;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Muon steps by plain ND4J operations. */
final class Nd4jMuon implements AutoCloseable {
  private static final int X = 0;
  private static final int NEXT = 1;
  private static final int GRAM = 2;
  private static final int POLYNOMIAL = 3;

  private final Nd4jScratch scratch = new Nd4jScratch();

  /** As {@link Kernels#muon}, on the matrices themselves. */
  void apply(INDArray weights, INDArray gradients, INDArray moment, MuonStep step) {
    long rows = weights.size(0);
    long columns = weights.size(1);
    INDArray x = scratch.like(X, weights);
    INDArray next = scratch.like(NEXT, weights);
    Tensors.copy(gradients, x);
    x.muli((1 - step.momentum()) * step.gradientScale());
    moment.muli(step.momentum()).addi(x);
    Tensors.copy(moment, next);
    x.addi(next.muli(step.momentum()));
    x.divi(x.norm2Number().doubleValue() + NewtonSchulz.EPSILON);
    INDArray orthogonal = orthogonalize(x, next, rows > columns, Math.min(rows, columns));
    weights.muli(1 - step.learningRate() * step.weightDecay());
    weights.subi(orthogonal.muli(step.learningRate() * NewtonSchulz.scale(rows, columns)));
  }

  /** Iterates between two matrices; returns the one with the result. */
  private INDArray orthogonalize(INDArray x, INDArray next, boolean tall, long side) {
    INDArray gram = scratch.array(GRAM, x.dataType(), side, side);
    INDArray polynomial = scratch.array(POLYNOMIAL, x.dataType(), side, side);
    for (int i = 0; i < NewtonSchulz.STEPS; i++) {
      gemm(x, tall, x, !tall, 1, 0, gram);
      gemm(gram, false, gram, false, NewtonSchulz.C, 0, polynomial);
      polynomial.addi(gram.muli(NewtonSchulz.B));
      for (long j = 0; j < side; j++) {
        long diagonal = j * (side + 1);
        Tensors.put(polynomial, diagonal, Tensors.get(polynomial, diagonal) + NewtonSchulz.A);
      }
      gemm(tall ? x : polynomial, false, tall ? polynomial : x, false, 1, 0, next);
      INDArray result = next;
      next = x;
      x = result;
    }
    return x;
  }

  /** Bytes off the heap. */
  long bytes() {
    return scratch.bytes();
  }

  @Override
  public void close() {
    scratch.close();
  }
}
