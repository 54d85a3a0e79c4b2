package dev.spatz.kernel;

import java.util.Arrays;
import org.apache.commons.math3.linear.MatrixUtils;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.special.Erf;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The judge of all implementations: the formulas of {@link Kernels} as plain loops over doubles,
 * nothing rearranged, derivatives from explicit Jacobians.
 */
final class NaiveKernels implements Kernels {

  @Override
  public void embed(
      int[] ids, int[] positions, INDArray tokens, @Nullable INDArray positionTable, INDArray out) {
    Values t = Values.of(tokens);
    Values p = Values.of(positionTable);
    Values o = Values.of(out);
    for (int r = 0; r < ids.length; r++) {
      for (int c = 0; c < o.columns; c++) {
        o.set(r, c, t.get(ids[r], c) + (p.present() ? p.get(positions[r], c) : 0));
      }
    }
    o.store();
  }

  @Override
  public void embedBackward(
      INDArray dOut,
      int[] ids,
      int[] positions,
      @Nullable INDArray dTokens,
      @Nullable INDArray dPositionTable) {
    Values d = Values.of(dOut);
    Values t = Values.of(dTokens);
    Values p = Values.of(dPositionTable);
    for (int r = 0; r < ids.length; r++) {
      for (int c = 0; c < d.columns; c++) {
        if (t.present()) {
          t.add(ids[r], c, d.get(r, c));
        }
        if (p.present()) {
          p.add(positions[r], c, d.get(r, c));
        }
      }
    }
    t.store();
    p.store();
  }

  @Override
  public void linear(
      INDArray x,
      INDArray weight,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y) {
    Values in = Values.of(x);
    Values w = Values.of(weight);
    Values b = Values.of(bias);
    Values added = Values.of(residual);
    Values out = Values.of(y);
    for (int r = 0; r < out.rows(); r++) {
      for (int o = 0; o < out.columns; o++) {
        double sum = (b.present() ? b.at[o] : 0) + (added.present() ? added.get(r, o) : 0);
        for (int i = 0; i < in.columns; i++) {
          sum += in.get(r, i) * w.get(o, i);
        }
        out.set(r, o, sum);
      }
    }
    out.store();
  }

  @Override
  public PackedWeights pack(INDArray weight, WeightPrecision precision) {
    return Nd4jPackedWeights.of(weight, precision);
  }

  @Override
  public void linear(
      INDArray x,
      PackedWeights w,
      int firstSlice,
      int slices,
      @Nullable INDArray b,
      @Nullable INDArray r,
      INDArray y) {
    Nd4jPackedWeights packed = (Nd4jPackedWeights) w;
    linear(packed.inputs(x), packed.weight(), b, r, y);
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
    Values d = Values.of(dY);
    Values in = Values.of(x);
    Values w = Values.of(weight);
    Values dIn = Values.of(dX);
    Values dW = Values.of(dWeight);
    Values dB = Values.of(dBias);
    Arrays.fill(dIn.at, 0);
    if (mode == WriteMode.OVERWRITE) {
      Arrays.fill(dW.at, 0);
      Arrays.fill(dB.at, 0);
    }
    for (int r = 0; r < d.rows(); r++) {
      for (int o = 0; o < d.columns; o++) {
        for (int i = 0; i < in.columns; i++) {
          if (dIn.present()) {
            dIn.add(r, i, d.get(r, o) * w.get(o, i));
          }
          if (dW.present()) {
            dW.add(o, i, d.get(r, o) * in.get(r, i));
          }
        }
        if (dB.present()) {
          dB.at[o] += d.get(r, o);
        }
      }
    }
    dIn.store();
    dW.store();
    dB.store();
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
    Values in = Values.of(x);
    Values down = Values.of(a);
    Values up = Values.of(b);
    Values between = Values.of(inner);
    Values out = Values.of(y);
    for (int r = 0; r < in.rows(); r++) {
      for (int k = 0; k < down.rows(); k++) {
        double sum = 0;
        for (int i = 0; i < in.columns; i++) {
          sum += in.get(r, i) * down.get(k, i);
        }
        between.set(r, k, sum);
      }
      for (int o = 0; o < up.rows(); o++) {
        for (int k = 0; k < up.columns; k++) {
          out.add(r, firstColumn + o, scale * between.get(r, k) * up.get(o, k));
        }
      }
    }
    between.store();
    out.store();
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
    Values d = Values.of(dY);
    Values in = Values.of(x);
    Values down = Values.of(a);
    Values up = Values.of(b);
    Values between = Values.of(inner);
    Values dBetween = Values.of(dInner);
    Values dIn = Values.of(dX);
    Values dDown = Values.of(dA);
    Values dUp = Values.of(dB);
    if (mode == WriteMode.OVERWRITE) {
      Arrays.fill(dDown.at, 0);
      Arrays.fill(dUp.at, 0);
    }
    for (int r = 0; r < in.rows(); r++) {
      for (int k = 0; k < down.rows(); k++) {
        double sum = 0;
        for (int o = 0; o < up.rows(); o++) {
          double dOut = scale * d.get(r, firstColumn + o);
          sum += dOut * up.get(o, k);
          if (dUp.present()) {
            dUp.add(o, k, dOut * between.get(r, k));
          }
        }
        dBetween.set(r, k, sum);
        for (int i = 0; i < in.columns; i++) {
          if (dIn.present()) {
            dIn.add(r, i, sum * down.get(k, i));
          }
          if (dDown.present()) {
            dDown.add(k, i, sum * in.get(r, i));
          }
        }
      }
    }
    dBetween.store();
    dIn.store();
    dDown.store();
    dUp.store();
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
    NaiveNormalizations.layerNorm(x, gain, bias, epsilon, y, mean, inverseDeviation);
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
    NaiveNormalizations.backward(dY, x, gain, mean, inverseDeviation, dX, dGain, dBias);
  }

  @Override
  public void rmsNorm(INDArray x, INDArray gain, double epsilon, INDArray y, INDArray inverseRms) {
    NaiveNormalizations.rmsNorm(x, gain, epsilon, y, inverseRms);
  }

  @Override
  public void rmsNormBackward(
      INDArray dY,
      INDArray x,
      INDArray gain,
      INDArray inverseRms,
      INDArray dX,
      @Nullable INDArray dGain) {
    NaiveNormalizations.backward(dY, x, gain, null, inverseRms, dX, dGain, null);
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
    NaiveNormalizations.heads(qkv, shape, queryGain, keyGain, epsilon, normalized, inverseRms);
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
    NaiveNormalizations.headsBackward(
        dQkv, shape, queryGain, keyGain, normalized, inverseRms, dQueryGain, dKeyGain);
  }

  @Override
  public void gelu(Gelu form, INDArray x, INDArray y) {
    Values in = Values.of(x);
    Values out = Values.of(y);
    for (int i = 0; i < in.at.length; i++) {
      double v = in.at[i];
      out.at[i] =
          form == Gelu.EXACT ? v * Erf.erfc(-v / Math.sqrt(2)) / 2 : 0.5 * v * (1 + tanh(v));
    }
    out.store();
  }

  private static double tanh(double v) {
    return Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v));
  }

  @Override
  public void geluBackward(Gelu form, INDArray dY, INDArray x, INDArray dX) {
    Values d = Values.of(dY);
    Values in = Values.of(x);
    Values dIn = Values.of(dX);
    for (int i = 0; i < in.at.length; i++) {
      double v = in.at[i];
      double slope;
      if (form == Gelu.EXACT) {
        double density = Math.exp(-v * v / 2) / Math.sqrt(2 * Math.PI);
        slope = Erf.erfc(-v / Math.sqrt(2)) / 2 + v * density;
      } else {
        double inner = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * v * v);
        slope = 0.5 * (1 + tanh(v)) + 0.5 * v * (1 - tanh(v) * tanh(v)) * inner;
      }
      dIn.at[i] = d.at[i] * slope;
    }
    dIn.store();
  }

  @Override
  public void swiGlu(INDArray gateUp, INDArray y) {
    Values in = Values.of(gateUp);
    Values out = Values.of(y);
    for (int r = 0; r < out.rows(); r++) {
      for (int f = 0; f < out.columns; f++) {
        double gate = in.get(r, f);
        out.set(r, f, gate / (1 + Math.exp(-gate)) * in.get(r, out.columns + f));
      }
    }
    out.store();
  }

  @Override
  public void swiGluBackward(INDArray dY, INDArray gateUp, INDArray dGateUp) {
    Values d = Values.of(dY);
    Values in = Values.of(gateUp);
    Values dIn = Values.of(dGateUp);
    for (int r = 0; r < d.rows(); r++) {
      for (int f = 0; f < d.columns; f++) {
        double gate = in.get(r, f);
        double up = in.get(r, d.columns + f);
        double e = Math.exp(-gate);
        // (g/(1 + e⁻ᵍ))′ by the rule of quotients
        double slope = (1 + e + gate * e) / ((1 + e) * (1 + e));
        dIn.set(r, f, d.get(r, f) * up * slope);
        dIn.set(r, d.columns + f, d.get(r, f) * gate / (1 + e));
      }
    }
    dIn.store();
  }

  @Override
  public void dropout(INDArray x, int time, Dropout dropout, INDArray out) {
    Values v = Values.of(x);
    Values result = Values.of(out);
    for (int r = 0; r < v.rows(); r++) {
      for (int c = 0; c < v.columns; c++) {
        long index = (dropout.firstSequence() * time + r) * v.columns + c;
        result.set(r, c, dropout.drops(index) ? 0 : v.get(r, c) / (1 - dropout.rate()));
      }
    }
    result.store();
  }

  @Override
  public void add(INDArray a, INDArray b, INDArray out) {
    Values left = Values.of(a);
    Values right = Values.of(b);
    Values sum = Values.of(out);
    for (int i = 0; i < sum.at.length; i++) {
      sum.at[i] = left.at[i] + right.at[i];
    }
    sum.store();
  }

  @Override
  public void rotate(INDArray x, int[] positions, int heads, INDArray cosines, INDArray sines) {
    NaiveAttention.turn(x, positions, heads, cosines, sines, 1);
  }

  @Override
  public void rotateBackward(
      INDArray dX, int[] positions, int heads, INDArray cosines, INDArray sines) {
    NaiveAttention.turn(dX, positions, heads, cosines, sines, -1);
  }

  @Override
  public void attention(INDArray qkv, AttentionShape shape, Dropout dropout, INDArray out) {
    NaiveAttention.forward(qkv, shape, dropout, out);
  }

  @Override
  public void attentionBackward(
      INDArray dOut,
      INDArray qkv,
      INDArray out,
      AttentionShape shape,
      Dropout dropout,
      INDArray dQkv) {
    NaiveAttention.backward(dOut, qkv, shape, dropout, dQkv);
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
    NaiveAttention.cached(qkv, shape, position, firstGroup, groups, keys, values, out);
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
    Values in = Values.of(x);
    Values w = Values.of(weight);
    Values dIn = Values.of(dX);
    Values dW = Values.of(dWeight);
    Arrays.fill(dIn.at, 0);
    if (mode == WriteMode.OVERWRITE) {
      Arrays.fill(dW.at, 0);
    }
    double total = 0;
    for (int r = 0; r < targets.length; r++) {
      double[] e = new double[w.rows()];
      double sum = 0;
      for (int v = 0; v < e.length; v++) {
        for (int c = 0; c < in.columns; c++) {
          e[v] += in.get(r, c) * w.get(v, c);
        }
        e[v] = Math.exp(e[v]);
        sum += e[v];
      }
      double loss = targets[r] < 0 ? 0 : -Math.log(e[targets[r]] / sum);
      if (losses != null) {
        losses[r] = loss;
      }
      total += loss;
      for (int v = 0; v < e.length && targets[r] >= 0; v++) {
        double factor = factors == null ? scale : scale * factors[r];
        double dLogit = factor * (e[v] / sum - (v == targets[r] ? 1 : 0));
        for (int c = 0; c < in.columns; c++) {
          if (dIn.present()) {
            dIn.add(r, c, dLogit * w.get(v, c));
          }
          if (dW.present()) {
            dW.add(v, c, dLogit * in.get(r, c));
          }
        }
      }
    }
    dIn.store();
    dW.store();
    return total;
  }

  @Override
  public void addRange(INDArray target, INDArray source, long from, long to) {
    Values t = Values.of(target);
    Values s = Values.of(source);
    for (int i = (int) from; i < to; i++) {
      t.at[i] += s.at[i];
    }
    t.store();
  }

  @Override
  public void widen(RoundedMatrix matrix, INDArray out) {
    matrix.copyTo(out);
  }

  @Override
  public void toBf16(INDArray source, INDArray target, long from, long to) {
    for (long i = from; i < to; i++) {
      Tensors.put(target, i, Tensors.get(source, i));
    }
  }

  @Override
  public double sumOfSquares(INDArray array, long from, long to) {
    Values v = Values.of(array);
    double sum = 0;
    for (int i = (int) from; i < to; i++) {
      sum += v.at[i] * v.at[i];
    }
    return sum;
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
    Values w = Values.of(weights);
    Values g = Values.of(gradients);
    Values m = Values.of(firstMoment);
    Values v = Values.of(secondMoment);
    for (int i = (int) from; i < to; i++) {
      double gradient = g.at[i] * step.gradientScale();
      w.at[i] -= step.learningRate() * decay * w.at[i];
      m.at[i] = step.beta1() * m.at[i] + (1 - step.beta1()) * gradient;
      v.at[i] = step.beta2() * v.at[i] + (1 - step.beta2()) * gradient * gradient;
      double first = m.at[i] / (1 - Math.pow(step.beta1(), step.step()));
      double second = v.at[i] / (1 - Math.pow(step.beta2(), step.step()));
      w.at[i] -= step.learningRate() * first / (Math.sqrt(second) + step.epsilon());
    }
    w.store();
    m.store();
    v.store();
  }

  @Override
  public void muon(INDArray weights, INDArray gradients, INDArray moment, MuonStep step) {
    Values w = Values.of(weights);
    Values g = Values.of(gradients);
    Values m = Values.of(moment);
    int rows = (int) weights.size(0);
    int columns = (int) weights.size(1);
    double[][] x = new double[rows][columns];
    double squares = 0;
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        int i = r * columns + c;
        double gradient = g.at[i] * step.gradientScale();
        m.at[i] += (1 - step.momentum()) * (gradient - m.at[i]);
        x[r][c] = gradient + step.momentum() * (m.at[i] - gradient);
        squares += x[r][c] * x[r][c];
      }
    }
    RealMatrix o = MatrixUtils.createRealMatrix(x).scalarMultiply(1 / (Math.sqrt(squares) + 1e-7));
    for (int i = 0; i < 5; i++) {
      RealMatrix gram = o.multiply(o.transpose());
      RealMatrix cube = gram.multiply(o);
      o =
          o.scalarMultiply(3.4445)
              .subtract(cube.scalarMultiply(4.7750))
              .add(gram.multiply(cube).scalarMultiply(2.0315));
    }
    double scale = rows > columns ? Math.sqrt((double) rows / columns) : 1;
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        int i = r * columns + c;
        w.at[i] -= step.learningRate() * (step.weightDecay() * w.at[i] + scale * o.getEntry(r, c));
      }
    }
    w.store();
    m.store();
  }

  @Override
  public long bytes() {
    return 0;
  }

  @Override
  public void close() {
    // Owns nothing.
  }
}
