package dev.spatz.kernel;

import static dev.spatz.kernel.Nd4jMath.exp;
import static dev.spatz.kernel.Nd4jMath.gemm;
import static dev.spatz.kernel.Nd4jMath.rowMaxima;
import static dev.spatz.kernel.Nd4jMath.rowSums;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastAddOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Causal attention, one sequence at a time. Query heads that share a key/value head take turns: in
 * each turn every key/value head meets one query head, and the G of them are one batch (G,T,D).
 */
final class Nd4jAttention {
  private static final int MASK = 0;
  private static final int WEIGHTS = 1;
  private static final int ROW = 2;
  private static final int ROW_MAXIMUM = 3;
  private static final int FACTORS = 4;
  private static final int DROPPED = 5;
  private static final int D_WEIGHTS = 6;
  private static final int PRODUCT = 7;
  private static final int KEYS = 8;

  private final Nd4jScratch scratch = new Nd4jScratch();
  private double[] row = new double[0];

  void forward(INDArray qkv, AttentionShape shape, Dropout dropout, INDArray out) {
    int time = shape.time();
    INDArray mask = mask(qkv, time, time);
    for (int b = 0; b < qkv.size(0) / time; b++) {
      INDArray heads = heads(qkv, b, shape);
      INDArray outHeads = heads(out, b, shape);
      INDArray keys = keys(heads, shape);
      INDArray values = values(heads, shape);
      for (int turn = 0; turn < shape.group(); turn++) {
        INDArray weights = scores(queries(heads, turn, shape), keys, mask, shape.scale());
        softmax(weights);
        if (dropout.active()) {
          weights.muli(factors(weights, dropout, b, turn, shape));
        }
        gemm(weights, false, values, false, 1, 0, queries(outHeads, turn, shape));
      }
    }
  }

  void backward(
      INDArray dOut,
      INDArray qkv,
      INDArray out,
      AttentionShape shape,
      Dropout dropout,
      INDArray dQkv) {
    INDArray mask = mask(qkv, shape.time(), shape.time());
    for (int b = 0; b < qkv.size(0) / shape.time(); b++) {
      INDArray heads = heads(qkv, b, shape);
      INDArray dHeads = heads(dQkv, b, shape);
      INDArray keys = keys(heads, shape);
      for (int turn = 0; turn < shape.group(); turn++) {
        double beta = turn == 0 ? 0 : 1;
        INDArray queries = queries(heads, turn, shape);
        INDArray dOutTurn = queries(heads(dOut, b, shape), turn, shape);
        INDArray outTurn = queries(heads(out, b, shape), turn, shape);
        INDArray weights = scores(queries, keys, mask, shape.scale());
        softmax(weights);
        // out = (weights∘factors)·values
        INDArray dWeights = scratch.like(D_WEIGHTS, weights);
        gemm(dOutTurn, false, values(heads, shape), true, 1, 0, dWeights);
        INDArray dropped = weights;
        if (dropout.active()) {
          INDArray factors = factors(weights, dropout, b, turn, shape);
          dWeights.muli(factors);
          dropped = scratch.like(DROPPED, weights);
          weights.muli(factors, dropped);
        }
        gemm(dropped, true, dOutTurn, false, 1, beta, values(dHeads, shape));
        // weights = softmax(scores): dScores = weights∘(dWeights − rowsum(dOut∘out))
        INDArray product = scratch.array(PRODUCT, qkv.dataType(), dOutTurn.shape());
        Tensors.copy(dOutTurn, product);
        product.muli(outTurn);
        INDArray sums = scratch.array(ROW, qkv.dataType(), product.size(0) * product.size(1));
        rowSums(matrix(product), sums);
        matrix(dWeights).subiColumnVector(sums);
        dWeights.muli(weights);
        // scores = scale·queries·keysᵀ
        gemm(dWeights, false, keys, false, shape.scale(), 0, queries(dHeads, turn, shape));
        gemm(dWeights, true, queries, false, shape.scale(), beta, keys(dHeads, shape));
      }
    }
  }

  /** One row after the other, so that a row's bits do not depend on how many come at once. */
  void cached(
      INDArray qkv,
      AttentionShape shape,
      int position,
      int firstGroup,
      int groups,
      INDArray keyCache,
      INDArray valueCache,
      INDArray out) {
    for (int row = 0; row < qkv.size(0); row++) {
      int end = position + row + 1;
      cachedRow(
          Tensors.rows(qkv, row, row + 1L),
          shape,
          firstGroup,
          keyCache,
          seen(valueCache, firstGroup, groups, end),
          Tensors.rows(out, row, row + 1L));
    }
  }

  /**
   * Of the heads of some groups, whose values so far these are: the last key and value come new.
   */
  private void cachedRow(
      INDArray qkv,
      AttentionShape shape,
      int firstGroup,
      INDArray keyCache,
      INDArray values,
      INDArray out) {
    AttentionShape newRow =
        new AttentionShape(1, shape.heads(), shape.keyValueHeads(), shape.headSize());
    int groups = (int) values.size(0);
    int end = (int) values.size(1);
    INDArray heads = heads(qkv, 0, newRow);
    INDArray outHeads = heads(out, 0, newRow);
    int key = shape.heads() + firstGroup;
    Tensors.copy(strided(heads, key, 1, groups), keys(keyCache, firstGroup, groups, end - 1, end));
    Tensors.copy(
        strided(heads, key + shape.keyValueHeads(), 1, groups), positions(values, end - 1, end));
    INDArray keys = seenKeys(keyCache, firstGroup, groups, end);
    INDArray mask = mask(qkv, 1, end);
    for (int turn = 0; turn < shape.group(); turn++) {
      int head = firstGroup * shape.group() + turn;
      INDArray queries = strided(heads, head, shape.group(), groups);
      INDArray weights = scores(queries, keys, mask, shape.scale());
      softmax(weights);
      gemm(weights, false, values, false, 1, 0, strided(outHeads, head, shape.group(), groups));
    }
  }

  /** {@code scale·queries·keysᵀ + mask} (G,T,keys). */
  private INDArray scores(INDArray queries, INDArray keys, INDArray mask, double scale) {
    INDArray scores =
        scratch.array(WEIGHTS, queries.dataType(), queries.size(0), queries.size(1), keys.size(1));
    gemm(queries, false, keys, true, scale, 0, scores);
    Nd4j.exec(new BroadcastAddOp(scores, mask, scores, 1, 2));
    return scores;
  }

  /** Each row's softmax in place. */
  private void softmax(INDArray scores) {
    INDArray rows = matrix(scores);
    INDArray maxima = scratch.array(ROW_MAXIMUM, scores.dataType(), rows.size(0));
    rowMaxima(rows, maxima);
    rows.subiColumnVector(maxima);
    exp(rows);
    INDArray sums = scratch.array(ROW, scores.dataType(), rows.size(0));
    rowSums(rows, sums);
    rows.diviColumnVector(sums);
  }

  /** The last rows of a causal mask (rows,keys): 0 for what a query may see, else −∞. */
  private INDArray mask(INDArray like, int rows, int keys) {
    INDArray mask = scratch.array(MASK, like.dataType(), rows, keys);
    double[] line = row(keys);
    for (int i = 0; i < rows; i++) {
      Arrays.fill(line, 0, keys, Double.NEGATIVE_INFINITY);
      Arrays.fill(line, 0, keys - rows + i + 1, 0);
      Tensors.write(mask, (long) i * keys, line, 0, keys);
    }
    return mask;
  }

  /** The dropout's factors of the weights of one turn. */
  private INDArray factors(
      INDArray weights, Dropout dropout, int b, int turn, AttentionShape shape) {
    INDArray factors = scratch.like(FACTORS, weights);
    int time = shape.time();
    double[] line = row(time);
    for (int g = 0; g < shape.keyValueHeads(); g++) {
      long head = (dropout.firstSequence() + b) * shape.heads() + (long) g * shape.group() + turn;
      for (int i = 0; i < time; i++) {
        Arrays.fill(line, 0, time, 0);
        for (int j = 0; j <= i; j++) {
          line[j] = dropout.factor((head * time + i) * time + j);
        }
        Tensors.write(factors, ((long) g * time + i) * time, line, 0, time);
      }
    }
    return factors;
  }

  private double[] row(int length) {
    if (row.length < length) {
      row = new double[length];
    }
    return row;
  }

  /** The rows of a sequence, cut into heads (T,heads,D). */
  private static INDArray heads(INDArray rows, int sequence, AttentionShape shape) {
    long from = (long) sequence * shape.time();
    return Tensors.rows(rows, from, from + shape.time())
        .reshape('c', shape.time(), rows.size(1) / shape.headSize(), shape.headSize());
  }

  /** The query head of each group whose turn it is (G,T,D). */
  private static INDArray queries(INDArray heads, int turn, AttentionShape shape) {
    return strided(heads, turn, shape.group(), shape.keyValueHeads());
  }

  private static INDArray keys(INDArray heads, AttentionShape shape) {
    return strided(heads, shape.heads(), 1, shape.keyValueHeads());
  }

  private static INDArray values(INDArray heads, AttentionShape shape) {
    return strided(heads, shape.heads() + shape.keyValueHeads(), 1, shape.keyValueHeads());
  }

  /** Heads of rows (T,heads,D), every {@code step}-th from {@code first} on (count,T,D). */
  private static INDArray strided(INDArray heads, int first, int step, int count) {
    // ND4J's own interval with a step miscounts its end.
    return Nd4j.create(
        heads.data(),
        new long[] {count, heads.size(0), heads.size(2)},
        new long[] {step * heads.stride(1), heads.stride(0), heads.stride(2)},
        heads.offset() + first * heads.stride(1),
        'c');
  }

  /** Positions {@code from}…{@code to − 1} of a cache. */
  private static INDArray positions(INDArray cache, int from, int to) {
    return part(cache, 0, (int) cache.size(0), from, to);
  }

  /** Positions 0…{@code end − 1} of some groups of a cache. */
  private static INDArray seen(INDArray cache, int firstGroup, int groups, int end) {
    return part(cache, firstGroup, groups, 0, end);
  }

  /** Copies of the keys 0…{@code end − 1} of some groups (groups,end,D). */
  private INDArray seenKeys(INDArray cache, int firstGroup, int groups, int end) {
    INDArray keys = scratch.array(KEYS, cache.dataType(), groups, end, cache.size(2));
    int block = (int) cache.size(3);
    for (int from = 0; from < end; from += block) {
      int to = Math.min(end, from + block);
      Tensors.copy(keys(cache, firstGroup, groups, from, to), positions(keys, from, to));
    }
    return keys;
  }

  /** Keys {@code from}…{@code to − 1} of a block of the cache (groups,to − from,D). */
  private static INDArray keys(INDArray cache, int firstGroup, int groups, int from, int to) {
    long block = cache.size(3);
    return Nd4j.create(
        cache.data(),
        new long[] {groups, to - from, cache.size(2)},
        new long[] {cache.stride(1), cache.stride(3), cache.stride(2)},
        cache.offset()
            + from / block * cache.stride(0)
            + firstGroup * cache.stride(1)
            + from % block * cache.stride(3),
        'c');
  }

  /** Not by {@code get}, see {@link Tensors#rows}. */
  private static INDArray part(INDArray cache, int firstGroup, int groups, int from, int to) {
    long[] strides = {cache.stride(0), cache.stride(1), cache.stride(2)};
    return Nd4j.create(
        cache.data(),
        new long[] {groups, to - from, cache.size(2)},
        strides,
        cache.offset() + firstGroup * strides[0] + from * strides[1],
        'c');
  }

  /** All rows of a batch of matrices as one matrix. */
  private static INDArray matrix(INDArray batch) {
    return batch.reshape('c', batch.size(0) * batch.size(1), batch.size(2));
  }

  /** Bytes off the heap. */
  long bytes() {
    return scratch.bytes();
  }

  void close() {
    scratch.close();
  }
}
