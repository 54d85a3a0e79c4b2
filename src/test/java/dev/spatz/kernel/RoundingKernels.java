package dev.spatz.kernel;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes oneDNN's kernels compute with bfloat16 on float32 arrays: the arrays that are bfloat16 in
 * training go in as rounded copies, and what comes out is copied back.
 */
final class RoundingKernels implements Kernels {
  private final Kernels kernels = new OneDnnKernels();

  /** A bfloat16 copy. */
  private INDArray rounded(INDArray array) {
    INDArray copy = Tensors.zeros(DataType.BFLOAT16, array.shape());
    kernels.toBf16(array, copy, 0, array.length());
    return copy;
  }

  private @Nullable INDArray roundedOrNull(@Nullable INDArray array) {
    return array == null ? null : rounded(array);
  }

  private static void back(@Nullable INDArray rounded, @Nullable INDArray array) {
    if (rounded != null && array != null) {
      Tensors.copy(rounded.castTo(DataType.FLOAT), array);
    }
  }

  @Override
  public void embed(
      int[] ids, int[] positions, INDArray tokens, @Nullable INDArray positionTable, INDArray out) {
    kernels.embed(ids, positions, tokens, positionTable, out);
  }

  @Override
  public void embedBackward(
      INDArray dOut,
      int[] ids,
      int[] positions,
      @Nullable INDArray dTokens,
      @Nullable INDArray dPositionTable) {
    kernels.embedBackward(dOut, ids, positions, dTokens, dPositionTable);
  }

  @Override
  public void linear(
      INDArray x,
      INDArray weight,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y) {
    // The residual stream is float32.
    INDArray result = residual == null ? rounded(y) : y;
    kernels.linear(rounded(x), rounded(weight), bias, residual, result);
    if (result != y) {
      back(result, y);
    }
  }

  @Override
  public PackedWeights pack(INDArray weight, WeightPrecision precision) {
    return kernels.pack(weight, precision);
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
    kernels.linear(x, weight, firstSlice, slices, bias, residual, y);
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
    // The gradient of the residual stream is float32, others are not.
    INDArray gradient = dBias == null ? dY : rounded(dY);
    INDArray result = roundedOrNull(dX);
    kernels.linearBackward(gradient, rounded(x), rounded(weight), result, mode, dWeight, dBias);
    back(result, dX);
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
    INDArray between = rounded(inner);
    INDArray result = rounded(y);
    kernels.lowRank(rounded(x), rounded(a), rounded(b), scale, firstColumn, between, result);
    back(between, inner);
    back(result, y);
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
    // The gradient of the residual stream is float32, others are not.
    INDArray gradient = firstColumn == 0 ? dY : rounded(dY);
    INDArray dBetween = rounded(dInner);
    INDArray result = roundedOrNull(dX);
    kernels.lowRankBackward(
        gradient,
        rounded(x),
        rounded(a),
        rounded(b),
        scale,
        firstColumn,
        rounded(inner),
        dBetween,
        result,
        mode,
        dA,
        dB);
    back(dBetween, dInner);
    back(result, dX);
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
    INDArray result = rounded(y);
    kernels.layerNorm(x, gain, bias, epsilon, result, mean, inverseDeviation);
    back(result, y);
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
    kernels.layerNormBackward(rounded(dY), x, gain, mean, inverseDeviation, dX, dGain, dBias);
  }

  @Override
  public void rmsNorm(INDArray x, INDArray gain, double epsilon, INDArray y, INDArray inverseRms) {
    INDArray result = rounded(y);
    kernels.rmsNorm(x, gain, epsilon, result, inverseRms);
    back(result, y);
  }

  @Override
  public void rmsNormBackward(
      INDArray dY,
      INDArray x,
      INDArray gain,
      INDArray inverseRms,
      INDArray dX,
      @Nullable INDArray dGain) {
    kernels.rmsNormBackward(rounded(dY), x, gain, inverseRms, dX, dGain);
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
    INDArray result = rounded(qkv);
    kernels.queryKeyNorm(result, shape, queryGain, keyGain, epsilon, normalized, inverseRms);
    back(result, qkv);
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
    INDArray result = rounded(dQkv);
    kernels.queryKeyNormBackward(
        result, shape, queryGain, keyGain, normalized, inverseRms, dQueryGain, dKeyGain);
    back(result, dQkv);
  }

  @Override
  public void gelu(Gelu form, INDArray x, INDArray y) {
    INDArray result = rounded(y);
    kernels.gelu(form, rounded(x), result);
    back(result, y);
  }

  @Override
  public void geluBackward(Gelu form, INDArray dY, INDArray x, INDArray dX) {
    INDArray gradient = rounded(dY);
    INDArray result = dX == dY ? gradient : rounded(dX);
    kernels.geluBackward(form, gradient, rounded(x), result);
    back(result, dX);
  }

  @Override
  public void swiGlu(INDArray gateUp, INDArray y) {
    INDArray result = rounded(y);
    kernels.swiGlu(rounded(gateUp), result);
    back(result, y);
  }

  @Override
  public void swiGluBackward(INDArray dY, INDArray gateUp, INDArray dGateUp) {
    INDArray result = rounded(dGateUp);
    kernels.swiGluBackward(rounded(dY), rounded(gateUp), result);
    back(result, dGateUp);
  }

  @Override
  public void dropout(INDArray x, int time, Dropout dropout, INDArray out) {
    INDArray result = rounded(x);
    kernels.dropout(result, time, dropout, result);
    back(result, out);
  }

  @Override
  public void add(INDArray a, INDArray b, INDArray out) {
    INDArray first = rounded(a);
    INDArray second = a == b ? first : rounded(b);
    INDArray result = out == a ? first : out == b ? second : rounded(out);
    kernels.add(first, second, result);
    back(result, out);
  }

  @Override
  public void rotate(INDArray x, int[] positions, int heads, INDArray cosines, INDArray sines) {
    INDArray result = rounded(x);
    kernels.rotate(result, positions, heads, cosines, sines);
    back(result, x);
  }

  @Override
  public void rotateBackward(
      INDArray dX, int[] positions, int heads, INDArray cosines, INDArray sines) {
    INDArray result = rounded(dX);
    kernels.rotateBackward(result, positions, heads, cosines, sines);
    back(result, dX);
  }

  @Override
  public void attention(INDArray qkv, AttentionShape shape, Dropout dropout, INDArray out) {
    INDArray result = rounded(out);
    kernels.attention(rounded(qkv), shape, dropout, result);
    back(result, out);
  }

  @Override
  public void attentionBackward(
      INDArray dOut,
      INDArray qkv,
      INDArray out,
      AttentionShape shape,
      Dropout dropout,
      INDArray dQkv) {
    INDArray result = rounded(dQkv);
    kernels.attentionBackward(rounded(dOut), rounded(qkv), rounded(out), shape, dropout, result);
    back(result, dQkv);
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
    kernels.attentionCached(qkv, shape, position, firstGroup, groups, keys, values, out);
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
    INDArray result = roundedOrNull(dX);
    double loss =
        kernels.crossEntropy(
            rounded(x),
            rounded(weight),
            targets,
            scale,
            factors,
            logits,
            losses,
            result,
            mode,
            dWeight);
    back(result, dX);
    return loss;
  }

  @Override
  public void addRange(INDArray target, INDArray source, long from, long to) {
    kernels.addRange(target, source, from, to);
  }

  @Override
  public void widen(RoundedMatrix matrix, INDArray out) {
    kernels.widen(matrix, out);
  }

  @Override
  public void toBf16(INDArray source, INDArray target, long from, long to) {
    kernels.toBf16(source, target, from, to);
  }

  @Override
  public double sumOfSquares(INDArray array, long from, long to) {
    return kernels.sumOfSquares(array, from, to);
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
    kernels.adamW(weights, gradients, firstMoment, secondMoment, from, to, decay, step);
  }

  @Override
  public void muon(INDArray weights, INDArray gradients, INDArray moment, MuonStep step) {
    kernels.muon(weights, gradients, moment, step);
  }

  @Override
  public long bytes() {
    return kernels.bytes();
  }

  @Override
  public void close() {
    kernels.close();
  }
}
