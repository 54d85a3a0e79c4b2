package dev.spatz.kernel;

import static dev.spatz.kernel.Nd4jMath.rowSums;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Layer and root-mean-square normalization, composed: ND4J's own has no epsilon. */
final class Nd4jNormalizations {
  private static final int NORMALIZED = 0;
  private static final int PRODUCT = 1;
  private static final int ROW_MEAN = 2;
  private static final int ROW_PRODUCT_MEAN = 3;
  private static final int PRODUCTS = 4;

  private final Nd4jScratch scratch = new Nd4jScratch();
  private final JavaRows rows = new JavaRows();

  void layerNorm(
      INDArray x,
      INDArray gain,
      @Nullable INDArray bias,
      double epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation) {
    rowSums(x, mean);
    mean.divi(x.size(1));
    Tensors.copy(x, y);
    y.subiColumnVector(mean);
    scaleRows(y, epsilon, inverseDeviation);
    y.muliRowVector(gain);
    if (bias != null) {
      y.addiRowVector(bias);
    }
  }

  void layerNormBackward(
      INDArray dY,
      INDArray x,
      INDArray gain,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dX,
      @Nullable INDArray dGain,
      @Nullable INDArray dBias) {
    INDArray normalized = scratch.like(NORMALIZED, x);
    Tensors.copy(x, normalized);
    normalized.subiColumnVector(mean);
    normalized.muliColumnVector(inverseDeviation);
    if (dBias != null) {
      rows.addColumnSums(dY, dBias);
    }
    INDArray dNormalized = gainGradient(dY, normalized, gain, dGain);
    // dX += (d − mean(d) − n·mean(d·n)) / deviation
    INDArray rowMean = scratch.array(ROW_MEAN, x.dataType(), x.size(0));
    rowSums(dNormalized, rowMean);
    rowMean.divi(x.size(1));
    INDArray rowProductMean = productMeans(dNormalized, normalized);
    dNormalized.subiColumnVector(rowMean);
    normalized.muliColumnVector(rowProductMean);
    dNormalized.subi(normalized);
    dNormalized.muliColumnVector(inverseDeviation);
    dX.addi(dNormalized);
  }

  void rmsNorm(INDArray x, INDArray gain, double epsilon, INDArray y, INDArray inverseRms) {
    Tensors.copy(x, y);
    scaleRows(y, epsilon, inverseRms);
    y.muliRowVector(gain);
  }

  void rmsNormBackward(
      INDArray dY,
      INDArray x,
      INDArray gain,
      INDArray inverseRms,
      INDArray dX,
      @Nullable INDArray dGain) {
    INDArray normalized = scratch.like(NORMALIZED, x);
    Tensors.copy(x, normalized);
    normalized.muliColumnVector(inverseRms);
    INDArray dNormalized = gainGradient(dY, normalized, gain, dGain);
    // dX += (d − n·mean(d·n)) / rms
    INDArray rowProductMean = productMeans(dNormalized, normalized);
    normalized.muliColumnVector(rowProductMean);
    dNormalized.subi(normalized);
    dNormalized.muliColumnVector(inverseRms);
    dX.addi(dNormalized);
  }

  /** Divides each row by the root of its mean square plus epsilon, and keeps the factors. */
  private void scaleRows(INDArray y, double epsilon, INDArray inverse) {
    INDArray squares = scratch.like(PRODUCT, y);
    y.muli(y, squares);
    rowSums(squares, inverse);
    inverse.divi(y.size(1));
    inverse.addi(epsilon);
    Transforms.sqrt(inverse, false);
    inverse.rdivi(1);
    y.muliColumnVector(inverse);
  }

  /** Adds to {@code dGain}; the gradient of the normalized rows, in a scratch array. */
  private INDArray gainGradient(
      INDArray dY, INDArray normalized, INDArray gain, @Nullable INDArray dGain) {
    INDArray product = scratch.like(PRODUCT, dY);
    if (dGain != null) {
      dY.muli(normalized, product);
      rows.addColumnSums(product, dGain);
    }
    Tensors.copy(dY, product);
    product.muliRowVector(gain);
    return product;
  }

  private INDArray productMeans(INDArray a, INDArray b) {
    INDArray product = scratch.like(PRODUCTS, a);
    a.muli(b, product);
    INDArray means = scratch.array(ROW_PRODUCT_MEAN, a.dataType(), a.size(0));
    rowSums(product, means);
    means.divi(a.size(1));
    return means;
  }

  /** Bytes off the heap. */
  long bytes() {
    return scratch.bytes();
  }

  void close() {
    scratch.close();
  }
}
