// Over 400 lines: a method for each operation of the interface, most of which only hand on.
package dev.spatz.kernel;

import static dev.spatz.kernel.Nd4jMath.exp;
import static dev.spatz.kernel.Nd4jMath.gemm;
import static dev.spatz.kernel.Nd4jMath.rowMaxima;
import static dev.spatz.kernel.Nd4jMath.rowSums;

import org.bytedeco.openblas.global.openblas_nolapack;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The reference: plain ND4J operations in float32 or float64, whichever the arrays are, and Java
 * loops in float64 where ND4J has no fitting operation.
 */
final class Nd4jKernels implements Kernels {
  private static final int FACTORS = 0;
  private static final int ROW_VALUES = 1;

  private final Nd4jScratch scratch = new Nd4jScratch();
  private final Nd4jLowRank lowRank = new Nd4jLowRank();
  private final Nd4jNormalizations normalizations = new Nd4jNormalizations();
  private final Nd4jActivations activations = new Nd4jActivations();
  private final Nd4jAttention attention = new Nd4jAttention();
  private final JavaRows rows = new JavaRows();
  private final JavaRanges ranges = new JavaRanges();
  private final Nd4jMuon muon = new Nd4jMuon();
  private final OpenMpWidth width = new OpenMpWidth();
  private boolean closed;

  /** Called first by every operation, which may come from another thread than the one before. */
  private void enter() {
    if (closed) {
      throw new IllegalStateException("these kernels are closed");
    }
    if (width.narrow()) {
      // OpenBLAS has a thread pool of its own, one for the whole process.
      openblas_nolapack.blas_set_num_threads(1);
    }
  }

  @Override
  public void embed(
      int[] ids, int[] positions, INDArray tokens, @Nullable INDArray positionTable, INDArray out) {
    enter();
    rows.embed(ids, positions, tokens, positionTable, out);
  }

  @Override
  public void embedBackward(
      INDArray dOut,
      int[] ids,
      int[] positions,
      @Nullable INDArray dTokens,
      @Nullable INDArray dPositionTable) {
    enter();
    rows.embedBackward(dOut, ids, positions, dTokens, dPositionTable);
  }

  @Override
  public void linear(
      INDArray x,
      INDArray weight,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y) {
    enter();
    if (residual != null && residual != y) {
      Tensors.copy(residual, y);
    }
    gemm(x, false, weight, true, 1, residual == null ? 0 : 1, y);
    if (bias != null) {
      y.addiRowVector(bias);
    }
  }

  @Override
  public PackedWeights pack(INDArray weight, WeightPrecision precision) {
    return Nd4jPackedWeights.of(weight, precision);
  }

  @Override
  public void linear(
      INDArray x,
      PackedWeights weight,
      int firstSlice,
      int slices,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y) {
    Nd4jPackedWeights packed = (Nd4jPackedWeights) weight;
    INDArray inputs = packed.inputs(x);
    for (long r = 0; r < x.size(0); r++) { // BLAS sums a row otherwise where it is not alone
      INDArray added = residual == null ? null : Tensors.rows(residual, r, r + 1);
      INDArray row = Tensors.rows(inputs, r, r + 1);
      linear(row, packed.weight(), bias, added, Tensors.rows(y, r, r + 1));
    }
  }

  @Override
  public void widen(RoundedMatrix matrix, INDArray out) {
    matrix.copyTo(out);
  }

  @Override
  public void linearBackward(
      INDArray dY,
      INDArray x,
      INDArray weight,
      @Nullable INDArray dX,
      WriteMode mode,
      @Nullable INDArray dWeight,
      @Nullable INDArray dBias) {
    enter();
    if (dX != null) {
      gemm(dY, false, weight, false, 1, 0, dX);
    }
    if (dWeight != null) {
      gemm(dY, true, x, false, 1, mode.beta(), dWeight);
    }
    if (dBias != null) {
      if (mode == WriteMode.OVERWRITE) {
        Tensors.fill(dBias, 0);
      }
      rows.addColumnSums(dY, dBias);
    }
  }

  @Override
  public void lowRank(
      INDArray x,
      INDArray a,
      INDArray b,
      double scale,
      int firstColumn,
      INDArray inner,
      INDArray y) {
    enter();
    lowRank.forward(x, a, b, scale, firstColumn, inner, y);
  }

  @Override
  public void lowRankBackward(
      INDArray dY,
      INDArray x,
      INDArray a,
      INDArray b,
      double scale,
      int firstColumn,
      INDArray inner,
      INDArray dInner,
      @Nullable INDArray dX,
      WriteMode mode,
      @Nullable INDArray dA,
      @Nullable INDArray dB) {
    enter();
    lowRank.backward(dY, x, a, b, scale, firstColumn, inner, dInner, dX, mode, dA, dB);
  }

  @Override
  public void layerNorm(
      INDArray x,
      INDArray gain,
      @Nullable INDArray bias,
      double epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation) {
    enter();
    normalizations.layerNorm(x, gain, bias, epsilon, y, mean, inverseDeviation);
  }

  @Override
  public void layerNormBackward(
      INDArray dY,
      INDArray x,
      INDArray gain,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dX,
      @Nullable INDArray dGain,
      @Nullable INDArray dBias) {
    enter();
    normalizations.layerNormBackward(dY, x, gain, mean, inverseDeviation, dX, dGain, dBias);
  }

  @Override
  public void rmsNorm(INDArray x, INDArray gain, double epsilon, INDArray y, INDArray inverseRms) {
    enter();
    normalizations.rmsNorm(x, gain, epsilon, y, inverseRms);
  }

  @Override
  public void rmsNormBackward(
      INDArray dY,
      INDArray x,
      INDArray gain,
      INDArray inverseRms,
      INDArray dX,
      @Nullable INDArray dGain) {
    enter();
    normalizations.rmsNormBackward(dY, x, gain, inverseRms, dX, dGain);
  }

  @Override
  public void queryKeyNorm(
      INDArray qkv,
      AttentionShape shape,
      INDArray queryGain,
      INDArray keyGain,
      double epsilon,
      INDArray normalized,
      INDArray inverseRms) {
    enter();
    JavaHeads.normalize(qkv, shape, queryGain, keyGain, epsilon, normalized, inverseRms);
  }

  @Override
  public void queryKeyNormBackward(
      INDArray dQkv,
      AttentionShape shape,
      INDArray queryGain,
      INDArray keyGain,
      INDArray normalized,
      INDArray inverseRms,
      @Nullable INDArray dQueryGain,
      @Nullable INDArray dKeyGain) {
    enter();
    JavaHeads.backward(
        dQkv, shape, queryGain, keyGain, normalized, inverseRms, dQueryGain, dKeyGain);
  }

  @Override
  public void gelu(Gelu form, INDArray x, INDArray y) {
    enter();
    activations.gelu(form, x, y);
  }

  @Override
  public void geluBackward(Gelu form, INDArray dY, INDArray x, INDArray dX) {
    enter();
    activations.geluBackward(form, dY, x, dX);
  }

  @Override
  public void swiGlu(INDArray gateUp, INDArray y) {
    enter();
    activations.swiGlu(gateUp, y);
  }

  @Override
  public void swiGluBackward(INDArray dY, INDArray gateUp, INDArray dGateUp) {
    enter();
    activations.swiGluBackward(dY, gateUp, dGateUp);
  }

  @Override
  public void dropout(INDArray x, int time, Dropout dropout, INDArray out) {
    enter();
    if (dropout.active()) {
      INDArray factors = scratch.like(FACTORS, x);
      rows.factors(factors, time, dropout);
      x.muli(factors, out);
    } else if (out != x) {
      Tensors.copy(x, out);
    }
  }

  @Override
  public void add(INDArray a, INDArray b, INDArray out) {
    enter();
    a.addi(b, out);
  }

  @Override
  public void rotate(INDArray x, int[] positions, int heads, INDArray cosines, INDArray sines) {
    enter();
    rows.rotate(x, positions, heads, cosines, sines, 1);
  }

  @Override
  public void rotateBackward(
      INDArray dX, int[] positions, int heads, INDArray cosines, INDArray sines) {
    enter();
    rows.rotate(dX, positions, heads, cosines, sines, -1);
  }

  @Override
  public void attention(INDArray qkv, AttentionShape shape, Dropout dropout, INDArray out) {
    enter();
    attention.forward(qkv, shape, dropout, out);
  }

  @Override
  public void attentionBackward(
      INDArray dOut,
      INDArray qkv,
      INDArray out,
      AttentionShape shape,
      Dropout dropout,
      INDArray dQkv) {
    enter();
    attention.backward(dOut, qkv, out, shape, dropout, dQkv);
  }

  @Override
  public void attentionCached(
      INDArray qkv,
      AttentionShape shape,
      int position,
      int firstGroup,
      int groups,
      INDArray keys,
      INDArray values,
      INDArray out) {
    enter();
    attention.cached(qkv, shape, position, firstGroup, groups, keys, values, out);
  }

  @Override
  public double crossEntropy(
      INDArray x,
      INDArray weight,
      int[] targets,
      double scale,
      double @Nullable [] factors,
      INDArray logits,
      double @Nullable [] losses,
      @Nullable INDArray dX,
      WriteMode mode,
      @Nullable INDArray dWeight) {
    enter();
    double sum = 0;
    long chunk = logits.size(0);
    for (long from = 0; from < x.size(0); from += chunk) {
      long to = Math.min(from + chunk, x.size(0));
      INDArray rowsOfX = Tensors.rows(x, from, to);
      INDArray rowsOfLogits = Tensors.rows(logits, 0, to - from);
      gemm(rowsOfX, false, weight, true, 1, 0, rowsOfLogits);
      sum += losses(rowsOfLogits, targets, (int) from, scale, factors, losses);
      if (dX != null) {
        gemm(rowsOfLogits, false, weight, false, 1, 0, Tensors.rows(dX, from, to));
      }
      if (dWeight != null) {
        double beta = from == 0 ? mode.beta() : 1;
        gemm(rowsOfLogits, true, rowsOfX, false, 1, beta, dWeight);
      }
    }
    return sum;
  }

  /** The losses of a chunk of rows; replaces its logits by their gradients. */
  private double losses(
      INDArray logits,
      int[] targets,
      int from,
      double scale,
      double @Nullable [] factors,
      double @Nullable [] losses) {
    INDArray rowValues = scratch.array(ROW_VALUES, logits.dataType(), logits.size(0));
    rowMaxima(logits, rowValues);
    logits.subiColumnVector(rowValues);
    double[] loss = new double[(int) logits.size(0)];
    for (int r = 0; r < loss.length; r++) {
      int target = targets[from + r];
      loss[r] = target < 0 ? 0 : -Tensors.get(logits, r * logits.size(1) + target);
    }
    exp(logits);
    rowSums(logits, rowValues);
    double sum = 0;
    for (int r = 0; r < loss.length; r++) {
      double denominator = Tensors.get(rowValues, r);
      boolean counted = targets[from + r] >= 0;
      loss[r] = counted ? loss[r] + Math.log(denominator) : 0;
      sum += loss[r];
      Tensors.put(rowValues, r, counted ? scale(scale, factors, from + r) / denominator : 0);
    }
    if (losses != null) {
      System.arraycopy(loss, 0, losses, from, loss.length);
    }
    // scale·factor·(softmax − one-hot)
    logits.muliColumnVector(rowValues);
    for (int r = 0; r < loss.length; r++) {
      int target = targets[from + r];
      if (target >= 0) {
        long index = r * logits.size(1) + target;
        double ofRow = scale(scale, factors, from + r);
        Tensors.put(logits, index, Tensors.get(logits, index) - ofRow);
      }
    }
    return sum;
  }

  private static double scale(double scale, double @Nullable [] factors, int row) {
    return factors == null ? scale : scale * factors[row];
  }

  @Override
  public void addRange(INDArray target, INDArray source, long from, long to) {
    enter();
    INDArray part = Tensors.view(target, from, to - from);
    part.addi(Tensors.view(source, from, to - from));
  }

  @Override
  public void toBf16(INDArray source, INDArray target, long from, long to) {
    throw new IllegalArgumentException("the kernels nd4j do not compute with bfloat16");
  }

  @Override
  public double sumOfSquares(INDArray array, long from, long to) {
    enter();
    return ranges.sumOfSquares(array, from, to);
  }

  @Override
  public void adamW(
      INDArray weights,
      INDArray gradients,
      INDArray firstMoment,
      INDArray secondMoment,
      long from,
      long to,
      double decay,
      AdamWStep step) {
    enter();
    ranges.adamW(weights, gradients, firstMoment, secondMoment, from, to, decay, step);
  }

  @Override
  public void muon(INDArray weights, INDArray gradients, INDArray moment, MuonStep step) {
    enter();
    muon.apply(weights, gradients, moment, step);
  }

  @Override
  public long bytes() {
    return scratch.bytes()
        + normalizations.bytes()
        + activations.bytes()
        + attention.bytes()
        + muon.bytes();
  }

  @Override
  public void close() {
    closed = true;
    width.restore();
    scratch.close();
    lowRank.close();
    normalizations.close();
    activations.close();
    attention.close();
    muon.close();
  }
}
