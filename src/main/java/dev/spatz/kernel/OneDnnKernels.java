package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_add;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * The fast path: float32 by oneDNN primitives that work on the arrays' own memory, and by Java
 * loops where there is no fitting one. In a steady state it allocates nothing.
 */
final class OneDnnKernels implements Kernels {
  private static final int MATMUL = 1;
  private static final int ONES = 0;

  private final OneDnnContext context = new OneDnnContext();
  private final NativeFloats memory = new NativeFloats();
  private final NativeScratch scratch = new NativeScratch(1);
  private final OneDnnMatmul matmul = new OneDnnMatmul(context, MATMUL);
  private final OneDnnPackedMatmul packedMatmul = new OneDnnPackedMatmul(context, memory);
  private final OneDnnSoftmax softmax = new OneDnnSoftmax(context);
  private final OneDnnElementwise elementwise = new OneDnnElementwise(context);
  private final OneDnnActivations activations = new OneDnnActivations(elementwise);
  private final OneDnnNormalizations normalizations =
      new OneDnnNormalizations(context, elementwise, memory);
  private final OneDnnAttention attention =
      new OneDnnAttention(matmul, softmax, elementwise, memory);
  private final OneDnnCrossEntropy crossEntropy = new OneDnnCrossEntropy(matmul, softmax, memory);
  private final FloatRows rows = new FloatRows(memory);
  private final FloatRmsBackward rmsBackward = new FloatRmsBackward(memory);
  private final FloatRanges ranges = new FloatRanges(memory);
  private final ArrayAddresses addresses = new ArrayAddresses();
  private int ones;

  private @Nullable Thread thread;
  private boolean closed;

  /** Called first by every operation, which may come from another thread than the one before. */
  private void enter() {
    if (closed) {
      throw new IllegalStateException("these kernels are closed");
    }
    addresses.begin();
    if (thread != Thread.currentThread()) {
      thread = Thread.currentThread();
      NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(1);
    }
  }

  private long at(@Nullable INDArray array) {
    return addresses.of(array);
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
    long in = x.size(1);
    long out = y.size(1);
    matmul.size(1, y.size(0), out, in).a(at(x), 0, in, 1).b(at(weight), 0, 1, in);
    if (bias != null) {
      matmul.bias(at(bias));
    }
    if (residual == y) {
      matmul.accumulate();
    } else if (residual != null) {
      matmul.plus(at(residual), y.size(0));
    }
    matmul.into(at(y), 0, out);
  }

  @Override
  public PackedWeights pack(INDArray weight) {
    enter();
    return packedMatmul.pack(at(weight), rows(weight), columns(weight));
  }

  @Override
  public void linear(
      INDArray x,
      PackedWeights weight,
      int slice,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y) {
    enter();
    OneDnnPackedWeights packed = (OneDnnPackedWeights) weight;
    packedMatmul.apply(packed, slice, rows(x), at(x), at(bias), at(residual), at(y));
  }

  @Override
  public void linearBackward(
      INDArray dY,
      INDArray x,
      INDArray weight,
      @Nullable INDArray dX,
      @Nullable INDArray dWeight,
      @Nullable INDArray dBias) {
    enter();
    long count = dY.size(0);
    long out = dY.size(1);
    long in = x.size(1);
    if (dX != null) {
      matmul.size(1, count, in, out).a(at(dY), 0, out, 1).b(at(weight), 0, in, 1);
      matmul.into(at(dX), 0, in);
    }
    if (dWeight != null) {
      matmul.size(1, out, in, count).a(at(dY), 0, 1, out).b(at(x), 0, in, 1);
      matmul.accumulate().into(at(dWeight), 0, in);
    }
    if (dBias != null) {
      matmul.size(1, 1, out, count).a(ones((int) count), 0, count, 1).b(at(dY), 0, out, 1);
      matmul.accumulate().into(at(dBias), 0, out);
    }
  }

  /** The address of a row of ones. */
  private long ones(int count) {
    long address = scratch.floats(ONES, count);
    if (ones < count) {
      float[] values = new float[count];
      Arrays.fill(values, 1);
      memory.write(address, values, 0, count);
      ones = count;
    }
    return address;
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
        rows(x),
        columns(x),
        at(x),
        at(gain),
        at(bias),
        epsilon,
        at(y),
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
        rows(x),
        columns(x),
        at(dY),
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
        rows(x), columns(x), at(x), at(gain), 0, epsilon, at(y), 0, at(inverseRms));
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
        rows(x), columns(x), at(dY), at(x), at(gain), at(inverseRms), at(dX), at(dGain));
  }

  @Override
  public void gelu(Gelu form, INDArray x, INDArray y) {
    enter();
    activations.gelu(form, x.length(), at(x), at(y));
  }

  @Override
  public void geluBackward(Gelu form, INDArray dY, INDArray x, INDArray dX) {
    enter();
    activations.geluBackward(form, x.length(), at(dY), at(x), at(dX));
  }

  @Override
  public void swiGlu(INDArray gateUp, INDArray y) {
    enter();
    activations.swiGlu(y.size(0), y.size(1), at(gateUp), at(y));
  }

  @Override
  public void swiGluBackward(INDArray dY, INDArray gateUp, INDArray dGateUp) {
    enter();
    activations.swiGluBackward(dY.size(0), dY.size(1), at(dY), at(gateUp), at(dGateUp));
  }

  @Override
  public void dropout(INDArray x, int time, Dropout dropout) {
    enter();
    if (dropout.active()) {
      long first = dropout.firstSequence() * time * x.size(1);
      rows.dropout(at(x), x.size(0), columns(x), first, dropout);
    }
  }

  @Override
  public void add(INDArray a, INDArray b, INDArray out) {
    enter();
    if (out == b) {
      elementwise.binary(dnnl_binary_add, out.length(), at(b), at(a), at(out));
    } else {
      elementwise.binary(dnnl_binary_add, out.length(), at(a), at(b), at(out));
    }
  }

  @Override
  public void rotate(INDArray x, int[] positions, int heads, INDArray cosines, INDArray sines) {
    enter();
    rows.rotate(at(x), columns(x), positions, heads, columns(cosines), at(cosines), at(sines), 1);
  }

  @Override
  public void rotateBackward(
      INDArray dX, int[] positions, int heads, INDArray cosines, INDArray sines) {
    enter();
    rows.rotate(
        at(dX), columns(dX), positions, heads, columns(cosines), at(cosines), at(sines), -1);
  }

  @Override
  public void attention(
      INDArray qkv, AttentionShape shape, Dropout dropout, INDArray out, INDArray logSumExp) {
    enter();
    attention.forward(at(qkv), qkv.size(0) / shape.time(), shape, dropout, at(out), at(logSumExp));
  }

  @Override
  public void attentionBackward(
      INDArray dOut,
      INDArray qkv,
      INDArray out,
      INDArray logSumExp,
      AttentionShape shape,
      Dropout dropout,
      INDArray dQkv) {
    enter();
    attention.backward(at(dOut), at(qkv), qkv.size(0) / shape.time(), shape, dropout, at(dQkv));
  }

  @Override
  public void attentionCached(
      INDArray qkv,
      AttentionShape shape,
      int position,
      INDArray keys,
      INDArray values,
      INDArray out) {
    enter();
    attention.cached(
        at(qkv), rows(qkv), shape, position, at(keys), at(values), (int) keys.size(1), at(out));
  }

  @Override
  public double crossEntropy(
      INDArray x,
      INDArray weight,
      int[] targets,
      double scale,
      INDArray logits,
      double @Nullable [] losses,
      @Nullable INDArray dX,
      @Nullable INDArray dWeight) {
    enter();
    OneDnnCrossEntropy.Head head =
        new OneDnnCrossEntropy.Head(
            at(x), at(weight), columns(x), rows(weight), at(logits), rows(logits));
    return crossEntropy.apply(head, targets, scale, losses, at(dX), at(dWeight));
  }

  @Override
  public void addRange(INDArray target, INDArray source, long from, long to) {
    enter();
    long offset = Float.BYTES * from;
    elementwise.binary(
        dnnl_binary_add, to - from, at(target) + offset, at(source) + offset, at(target) + offset);
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

  private static int rows(INDArray matrix) {
    return (int) matrix.size(0);
  }

  private static int columns(INDArray matrix) {
    return (int) matrix.size(1);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      context.close();
      scratch.close();
      packedMatmul.close();
      activations.close();
      normalizations.close();
      attention.close();
      crossEntropy.close();
    }
  }
}
