// Over 400 lines: a method for each operation of the interface, which only hands on addresses.
package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnnArguments.columns;
import static dev.spatz.kernel.OneDnnArguments.rows;
import static dev.spatz.kernel.OneDnnArguments.type;
import static org.bytedeco.dnnl.global.dnnl.dnnl_bf16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_add;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The fast path: float32, and products of bfloat16, by oneDNN primitives that work on the arrays'
 * own memory, and by Java loops where there is no fitting one. In a steady state it allocates
 * nothing, but oneDNN may for the time of a call, see {@link OneDnnGemm}.
 */
final class OneDnnKernels implements Kernels {
  private static final int MATMUL = 1;
  private static final int FLOATS = 0;
  private static final int MORE_FLOATS = 1;

  private final OneDnnContext context = new OneDnnContext();
  private final NativeFloats memory = new NativeFloats();
  private final NativeScratch scratch = new NativeScratch(2);
  private final OneDnnMatmul matmul = new OneDnnMatmul(context, MATMUL);
  private final OneDnnSoftmax softmax = new OneDnnSoftmax(context);
  private final OneDnnElementwise elementwise = new OneDnnElementwise(context);
  private final OneDnnPackedMatmul packedMatmul =
      new OneDnnPackedMatmul(context, elementwise, memory);
  private final OneDnnLinear linear = new OneDnnLinear(matmul, elementwise, memory);
  private final OneDnnLowRank lowRank = new OneDnnLowRank(matmul, elementwise);
  private final OneDnnActivations activations = new OneDnnActivations(elementwise);
  private final OneDnnNormalizations normalizations =
      new OneDnnNormalizations(context, elementwise, memory);
  private final OneDnnAttention attention =
      new OneDnnAttention(matmul, softmax, elementwise, memory);
  private final OneDnnCachedAttention cachedAttention =
      new OneDnnCachedAttention(context, matmul, softmax, elementwise, memory);
  private final OneDnnCrossEntropy crossEntropy =
      new OneDnnCrossEntropy(matmul, softmax, elementwise, memory);
  private final FloatRows rows = new FloatRows(memory);
  private final FloatRmsBackward rmsBackward = new FloatRmsBackward(memory);
  private final FloatHeads heads = new FloatHeads(memory);
  private final FloatRanges ranges = new FloatRanges(memory);
  private final FloatMuon muon = new FloatMuon(matmul, memory);

  private final OneDnnArguments arguments = new OneDnnArguments();
  private final OpenMpWidth width = new OpenMpWidth();
  private boolean closed;

  /** Called first by every operation, which may come from another thread than the one before. */
  private void enter() {
    if (closed) {
      throw new IllegalStateException("these kernels are closed");
    }
    arguments.begin();
    width.narrow();
  }

  /** Where a float32 array begins; 0 for null. */
  private long at(@Nullable INDArray array) {
    return arguments.floats(array);
  }

  /** Where an array of one of oneDNN's types begins; 0 for null. */
  private long at(int type, @Nullable INDArray array) {
    return arguments.at(type, array);
  }

  @Override
  public void embed(
      int[] ids, int[] positions, INDArray tokens, @Nullable INDArray positionTable, INDArray out) {
    enter();
    rows.embed(ids, positions, columns(out), at(tokens), at(positionTable), at(out));
  }

  @Override
  public void embedBackward(
      INDArray dOut,
      int[] ids,
      int[] positions,
      @Nullable INDArray dTokens,
      @Nullable INDArray dPositionTable) {
    enter();
    rows.embedBackward(at(dOut), ids, positions, columns(dOut), at(dTokens), at(dPositionTable));
  }

  @Override
  public void linear(
      INDArray x,
      INDArray weight,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y) {
    enter();
    int type = type(x);
    linear.size(rows(x), columns(x), columns(y)).types(type, type(y));
    linear.forward(at(type, x), at(type, weight), at(bias), at(residual), at(type(y), y));
  }

  @Override
  public PackedWeights pack(INDArray weight, WeightPrecision precision) {
    enter();
    precision.require(KernelBackend.ONEDNN);
    return packedMatmul.pack(at(weight), rows(weight), columns(weight), precision);
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
    enter();
    OneDnnPackedWeights packed = (OneDnnPackedWeights) weight;
    packedMatmul.apply(packed, firstSlice, slices, rows(x), at(x), at(bias), at(residual), at(y));
  }

  @Override
  public void widen(RoundedMatrix matrix, INDArray out) {
    enter();
    int type = type(out);
    long to = at(type, out);
    if (matrix.precision == WeightPrecision.INT8) {
      elementwise.widen(type, matrix.rows, matrix.columns, matrix.address(), matrix.scales(), to);
    } else {
      elementwise.convert(dnnl_bf16, type, out.length(), matrix.address(), to);
    }
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
    int type = type(x);
    int dXType = dX == null ? type : type(dX);
    linear.size(rows(x), columns(x), columns(dY)).types(type, type(dY));
    linear.backward(
        at(type(dY), dY),
        at(type, x),
        at(type, weight),
        dXType,
        at(dXType, dX),
        mode,
        at(dWeight),
        at(dBias));
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
    int type = type(x);
    lowRank.size(rows(x), columns(x), rows(a), rows(b)).types(type, type(y));
    lowRank.columns(firstColumn, columns(y)).scale((float) scale);
    lowRank.forward(at(type, x), at(type, a), at(type, b), at(type, inner), at(type(y), y));
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
    int type = type(x);
    lowRank.size(rows(x), columns(x), rows(a), rows(b)).types(type, type(dY));
    lowRank.columns(firstColumn, columns(dY)).scale((float) scale);
    lowRank.backward(
        at(type(dY), dY),
        at(type, x),
        at(type, a),
        at(type, b),
        at(type, inner),
        at(type, dInner),
        at(type, dX),
        mode,
        at(dA),
        at(dB));
  }

  /** Where a float32 copy of a bfloat16 array begins, or a float32 array itself. */
  private long floats(INDArray array) {
    return floats(FLOATS, array);
  }

  private long floats(int slot, INDArray array) {
    long address = at(type(array), array);
    if (type(array) == dnnl_f32) {
      return address;
    }
    long copy = scratch.floats(slot, array.length());
    elementwise.convert(dnnl_bf16, dnnl_f32, array.length(), address, copy);
    return copy;
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
    normalizations.forward(
        type(y),
        rows(x),
        columns(x),
        at(x),
        at(gain),
        at(bias),
        epsilon,
        at(type(y), y),
        at(mean),
        at(inverseDeviation));
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
    normalizations.backward(
        type(dY),
        rows(x),
        columns(x),
        at(type(dY), dY),
        at(x),
        at(gain),
        at(mean),
        at(inverseDeviation),
        at(dX),
        at(dGain),
        at(dBias));
  }

  @Override
  public void rmsNorm(INDArray x, INDArray gain, double epsilon, INDArray y, INDArray inverseRms) {
    enter();
    normalizations.forward(
        type(y),
        rows(x),
        columns(x),
        at(x),
        at(gain),
        0,
        epsilon,
        at(type(y), y),
        0,
        at(inverseRms));
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
    rmsBackward.apply(
        rows(x), columns(x), floats(dY), at(x), at(gain), at(inverseRms), at(dX), at(dGain));
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
    long rows = qkv.size(0);
    long values = floats(qkv);
    long n = at(normalized);
    heads.normalize(values, rows, shape, at(queryGain), at(keyGain), epsilon, n, at(inverseRms));
    writeBack(values, qkv);
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
    long values = floats(dQkv);
    long query = at(queryGain);
    long key = at(keyGain);
    long n = at(normalized);
    long inverse = at(inverseRms);
    long dQuery = at(dQueryGain);
    heads.backward(values, dQkv.size(0), shape, query, key, n, inverse, dQuery, at(dKeyGain));
    writeBack(values, dQkv);
  }

  @Override
  public void gelu(Gelu form, INDArray x, INDArray y) {
    enter();
    int type = type(x);
    activations.gelu(form, type, x.length(), at(type, x), at(type, y));
  }

  @Override
  public void geluBackward(Gelu form, INDArray dY, INDArray x, INDArray dX) {
    enter();
    int type = type(x);
    activations.geluBackward(form, type, x.length(), at(type, dY), at(type, x), at(type, dX));
  }

  @Override
  public void swiGlu(INDArray gateUp, INDArray y) {
    enter();
    int type = type(y);
    activations.swiGlu(type, y.size(0), y.size(1), at(type, gateUp), at(type, y));
  }

  @Override
  public void swiGluBackward(INDArray dY, INDArray gateUp, INDArray dGateUp) {
    enter();
    int type = type(dY);
    activations.swiGluBackward(
        type, dY.size(0), dY.size(1), at(type, dY), at(type, gateUp), at(type, dGateUp));
  }

  @Override
  public void dropout(INDArray x, int time, Dropout dropout, INDArray out) {
    enter();
    if (dropout.active()) {
      long first = dropout.firstSequence() * time * x.size(1);
      long from = floats(x);
      long to = type(out) == dnnl_f32 ? at(out) : from;
      rows.dropout(from, x.size(0), columns(x), first, dropout, to);
      writeBack(to, out);
    } else if (out != x) {
      Tensors.copy(x, out);
    }
  }

  @Override
  public void add(INDArray a, INDArray b, INDArray out) {
    enter();
    long first = floats(FLOATS, out == b ? b : a);
    long second = floats(MORE_FLOATS, out == b ? a : b);
    long sum = type(out) == dnnl_f32 ? at(out) : first;
    elementwise.binary(dnnl_binary_add, out.length(), first, second, sum);
    writeBack(sum, out);
  }

  @Override
  public void rotate(INDArray x, int[] positions, int heads, INDArray cosines, INDArray sines) {
    rotate(x, positions, heads, cosines, sines, 1);
  }

  @Override
  public void rotateBackward(
      INDArray dX, int[] positions, int heads, INDArray cosines, INDArray sines) {
    rotate(dX, positions, heads, cosines, sines, -1);
  }

  private void rotate(
      INDArray x, int[] positions, int heads, INDArray cosines, INDArray sines, float direction) {
    enter();
    long floats = floats(x);
    int half = columns(cosines);
    rows.rotate(floats, columns(x), positions, heads, half, at(cosines), at(sines), direction);
    writeBack(floats, x);
  }

  /** Rounds what an operation did to the floats of a bfloat16 array. */
  private void writeBack(long floats, INDArray array) {
    if (type(array) == dnnl_bf16) {
      elementwise.convert(dnnl_f32, dnnl_bf16, array.length(), floats, at(dnnl_bf16, array));
    }
  }

  @Override
  public void attention(INDArray qkv, AttentionShape shape, Dropout dropout, INDArray out) {
    enter();
    int type = type(qkv);
    long sequences = qkv.size(0) / shape.time();
    attention.of(type);
    attention.forward(at(type, qkv), sequences, shape, dropout, at(type, out));
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
    int type = type(qkv);
    long sequences = qkv.size(0) / shape.time();
    attention.of(type);
    attention.backward(at(type, dOut), at(type, qkv), sequences, shape, dropout, at(type, dQkv));
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
    cachedAttention.of(at(keys), at(values), (int) values.size(1), (int) keys.size(3));
    cachedAttention.forward(at(qkv), rows(qkv), shape, position, firstGroup, groups, at(out));
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
    int type = type(x);
    crossEntropy.of(type).x(at(type, x)).weight(at(type, weight), rows(weight), columns(weight));
    crossEntropy.logits(at(logits), rows(logits));
    return crossEntropy.apply(targets, scale, factors, losses, at(type, dX), mode, at(dWeight));
  }

  @Override
  public void addRange(INDArray target, INDArray source, long from, long to) {
    enter();
    long offset = Float.BYTES * from;
    elementwise.binary(
        dnnl_binary_add, to - from, at(target) + offset, at(source) + offset, at(target) + offset);
  }

  @Override
  public void toBf16(INDArray source, INDArray target, long from, long to) {
    enter();
    elementwise.convert(
        dnnl_f32,
        dnnl_bf16,
        to - from,
        at(source) + Float.BYTES * from,
        at(dnnl_bf16, target) + Short.BYTES * from);
  }

  @Override
  public double sumOfSquares(INDArray array, long from, long to) {
    enter();
    return ranges.sumOfSquares(at(array), from, to);
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
    ranges.adamW(
        at(weights), at(gradients), at(firstMoment), at(secondMoment), from, to, decay, step);
  }

  @Override
  public void muon(INDArray weights, INDArray gradients, INDArray moment, MuonStep step) {
    enter();
    muon.apply(at(weights), at(gradients), at(moment), weights.size(0), weights.size(1), step);
  }

  @Override
  public long bytes() {
    return context.bytes()
        + scratch.bytes()
        + linear.bytes()
        + packedMatmul.bytes()
        + activations.bytes()
        + normalizations.bytes()
        + attention.bytes()
        + cachedAttention.bytes()
        + crossEntropy.bytes()
        + muon.bytes();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      width.restore();
      context.close();
      scratch.close();
      linear.close();
      lowRank.close();
      packedMatmul.close();
      activations.close();
      normalizations.close();
      attention.close();
      cachedAttention.close();
      crossEntropy.close();
      muon.close();
    }
  }
}
