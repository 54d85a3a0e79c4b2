package dev.spatz.kernel;

import java.util.Arrays;
import java.util.function.IntBinaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The part of {@link NaiveKernels} that is attention: a query and a head at a time. */
final class NaiveAttention {
  private NaiveAttention() {}

  static void turn(
      INDArray x, int[] positions, int heads, INDArray cosines, INDArray sines, int direction) {
    Values v = Values.of(x);
    Values cosine = Values.of(cosines);
    Values sine = Values.of(sines);
    int half = cosine.columns;
    for (int r = 0; r < v.rows(); r++) {
      for (int h = 0; h < heads; h++) {
        for (int i = 0; i < half; i++) {
          int column = h * 2 * half + i;
          double a = v.get(r, column);
          double b = v.get(r, column + half);
          double c = cosine.get(positions[r], i);
          double s = direction * sine.get(positions[r], i);
          v.set(r, column, a * c - b * s);
          v.set(r, column + half, b * c + a * s);
        }
      }
    }
    v.store();
  }

  static void forward(INDArray qkv, AttentionShape shape, Dropout dropout, INDArray out) {
    Values in = Values.of(qkv);
    Values result = Values.of(out);
    Arrays.fill(result.at, 0);
    int time = shape.time();
    for (int r = 0; r < in.rows(); r++) {
      int start = r - r % time;
      for (int h = 0; h < shape.heads(); h++) {
        double[] p = probabilities(in, shape, r, h);
        for (int j = start; j <= r; j++) {
          double weight = p[j - start] * factor(dropout, shape, r, h, j - start);
          for (int c = 0; c < shape.headSize(); c++) {
            result.add(r, h * shape.headSize() + c, weight * in.get(j, value(shape, h) + c));
          }
        }
      }
    }
    result.store();
  }

  /** Of a query to the positions of its sequence up to its own. */
  private static double[] probabilities(Values in, AttentionShape shape, int row, int head) {
    int count = row % shape.time() + 1;
    double[] p = new double[count];
    double sum = 0;
    for (int j = 0; j < count; j++) {
      double score = 0;
      for (int c = 0; c < shape.headSize(); c++) {
        score +=
            in.get(row, head * shape.headSize() + c)
                * in.get(row - count + 1 + j, key(shape, head) + c);
      }
      p[j] = Math.exp(score / Math.sqrt(shape.headSize()));
      sum += p[j];
    }
    for (int j = 0; j < count; j++) {
      p[j] /= sum;
    }
    return p;
  }

  private static int key(AttentionShape shape, int head) {
    int group = shape.heads() / shape.keyValueHeads();
    return (shape.heads() + head / group) * shape.headSize();
  }

  private static int value(AttentionShape shape, int head) {
    return key(shape, head) + shape.keyValueHeads() * shape.headSize();
  }

  private static double factor(Dropout dropout, AttentionShape shape, int row, int head, int j) {
    long time = shape.time();
    long sequence = dropout.firstSequence() + row / time;
    long index = ((sequence * shape.heads() + head) * time + row % time) * time + j;
    return dropout.drops(index) ? 0 : 1 / (1 - dropout.rate());
  }

  static void backward(
      INDArray dOut, INDArray qkv, AttentionShape shape, Dropout dropout, INDArray dQkv) {
    Values d = Values.of(dOut);
    Values in = Values.of(qkv);
    Values dIn = Values.of(dQkv);
    Arrays.fill(dIn.at, 0);
    int size = shape.headSize();
    for (int r = 0; r < in.rows(); r++) {
      int start = r - r % shape.time();
      for (int h = 0; h < shape.heads(); h++) {
        double[] p = probabilities(in, shape, r, h);
        double[] dP = new double[p.length];
        for (int j = 0; j < dP.length; j++) {
          double factor = factor(dropout, shape, r, h, j);
          for (int c = 0; c < size; c++) {
            double dResult = d.get(r, h * size + c);
            dP[j] += dResult * in.get(start + j, value(shape, h) + c) * factor;
            dIn.add(start + j, value(shape, h) + c, dResult * p[j] * factor);
          }
        }
        for (int j = 0; j < dP.length; j++) {
          double dScore = 0;
          for (int k = 0; k < dP.length; k++) {
            dScore += dP[k] * p[k] * ((j == k ? 1 : 0) - p[j]);
          }
          for (int c = 0; c < size; c++) {
            double scaled = dScore / Math.sqrt(size);
            dIn.add(r, h * size + c, scaled * in.get(start + j, key(shape, h) + c));
            dIn.add(start + j, key(shape, h) + c, scaled * in.get(r, h * size + c));
          }
        }
      }
    }
    dIn.store();
  }

  static void cached(
      INDArray qkv,
      AttentionShape shape,
      int position,
      int firstGroup,
      int groups,
      INDArray keys,
      INDArray values,
      INDArray out) {
    Values in = Values.of(qkv);
    Values k = Values.of(keys);
    Values v = Values.of(values);
    Values result = Values.of(out);
    int size = shape.headSize();
    int capacity = (int) values.size(1);
    int block = k.columns;
    int group = shape.heads() / shape.keyValueHeads();
    for (int r = 0; r < in.rows(); r++) {
      for (int h = firstGroup * group; h < (firstGroup + groups) * group; h++) {
        int keyHead = h / group;
        int first = keyHead * capacity;
        IntBinaryOperator keyRow =
            (j, c) -> (j / block * shape.keyValueHeads() + keyHead) * size + c;
        for (int c = 0; c < size; c++) {
          result.set(r, h * size + c, 0);
          int own = position + r;
          k.set(keyRow.applyAsInt(own, c), own % block, in.get(r, key(shape, h) + c));
          v.set(first + position + r, c, in.get(r, value(shape, h) + c));
        }
        double sum = 0;
        for (int j = 0; j <= position + r; j++) {
          double score = 0;
          for (int c = 0; c < size; c++) {
            score += in.get(r, h * size + c) * k.get(keyRow.applyAsInt(j, c), j % block);
          }
          double weight = Math.exp(score / Math.sqrt(size));
          sum += weight;
          for (int c = 0; c < size; c++) {
            result.add(r, h * size + c, weight * v.get(first + j, c));
          }
        }
        for (int c = 0; c < size; c++) {
          result.set(r, h * size + c, result.get(r, h * size + c) / sum);
        }
      }
    }
    k.store();
    v.store();
    result.store();
  }
}
