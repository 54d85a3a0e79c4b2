package dev.spatz.kernel;

import org.nd4j.linalg.api.blas.params.MMulTranspose;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.api.ops.impl.reduce.same.Max;
import org.nd4j.linalg.api.ops.impl.reduce.same.Sum;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Exp;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J operations into existing arrays, by short names. */
final class Nd4jMath {
  private Nd4jMath() {}

  /** {@code c = alpha·a·b + beta·c}; {@code ᵀ} of a or b where so flagged. */
  static void gemm(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      double alpha,
      double beta,
      INDArray c) {
    MMulTranspose transpose =
        MMulTranspose.builder().transposeA(transposeA).transposeB(transposeB).build();
    Nd4j.exec(new Mmul(a, b, c, alpha, beta, transpose));
  }

  /** The sum of each row of {@code x} (R,C) into {@code out} (R). */
  static void rowSums(INDArray x, INDArray out) {
    Nd4j.exec(new Sum(x, out, false, 1));
  }

  /** The largest of each row of {@code x} (R,C) into {@code out} (R). */
  static void rowMaxima(INDArray x, INDArray out) {
    Nd4j.exec(new Max(x, out, false, 1));
  }

  /** {@code x = eˣ}. */
  static void exp(INDArray x) {
    Nd4j.exec(new Exp(x, x));
  }

  /** {@code x = 1/(1 + e⁻ˣ)}; ND4J's tanh and sigmoid are many times slower than its exp. */
  static void sigmoid(INDArray x) {
    x.negi();
    exp(x);
    x.addi(1);
    x.rdivi(1);
  }
}
