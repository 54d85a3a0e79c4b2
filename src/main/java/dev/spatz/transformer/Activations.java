package dev.spatz.transformer;

import dev.spatz.kernel.TensorArena;
import dev.spatz.kernel.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a forward pass over R rows writes, sized once. For training every block has its own, kept
 * for the backward; for inference all blocks share one.
 */
final class Activations implements AutoCloseable {
  /** A normalization's result (R,C), and what its backward needs (R). */
  record Normalized(INDArray values, INDArray mean, INDArray inverseDeviation) {}

  /**
   * What the backward of the normalization of query and key heads needs.
   *
   * @param normalized the heads before the gains (R,(H+G)·D)
   * @param inverseRms (R,H+G)
   */
  record Heads(INDArray normalized, INDArray inverseRms) {}

  /**
   * What a block writes.
   *
   * @param attentionNorm its input, normalized
   * @param qkv queries, keys and values (R,(H+2G)·D)
   * @param heads of queries and keys, or null where they are not normalized
   * @param attended heads side by side (R,H·D)
   * @param middle residual stream after attention (R,C)
   * @param feedForwardNorm the middle, normalized
   * @param hidden before the activation (R,F), or gate and up (R,2F)
   * @param activated after the activation (R,F)
   * @param out residual stream after the block (R,C)
   */
  record Block(
      Normalized attentionNorm,
      INDArray qkv,
      @Nullable Heads heads,
      INDArray attended,
      INDArray middle,
      Normalized feedForwardNorm,
      INDArray hidden,
      INDArray activated,
      INDArray out) {}

  final INDArray embedded;
  final List<Block> blocks;
  final Normalized norm;
  private final TensorArena owned = new TensorArena();

  /** Activations of {@code rows} rows; {@code shared}: one block's arrays serve all blocks. */
  Activations(TransformerConfig config, DataType type, int rows, boolean shared) {
    this(config, type, type, rows, shared);
  }

  /** With another type of what linear maps and attention read and write between the streams. */
  Activations(
      TransformerConfig config, DataType type, DataType operands, int rows, boolean shared) {
    Allocator stream = shape -> owned.zeros(type, shape);
    Allocator operand = shape -> owned.zeros(operands, shape);
    this.embedded = stream.zeros(rows, config.channels());
    List<Block> all = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      all.add(shared && layer > 0 ? all.get(0) : block(config, rows, stream, operand));
    }
    this.blocks = List.copyOf(all);
    this.norm = normalized(config, rows, stream, operand);
  }

  /** Views of the first {@code rows} rows of shared activations; owns nothing. */
  Activations(Activations whole, int rows) {
    this.embedded = Tensors.rows(whole.embedded, 0, rows);
    Block first = whole.blocks.get(0);
    Block block =
        new Block(
            rows(first.attentionNorm, rows),
            Tensors.rows(first.qkv, 0, rows),
            first.heads == null ? null : rows(first.heads, rows),
            Tensors.rows(first.attended, 0, rows),
            Tensors.rows(first.middle, 0, rows),
            rows(first.feedForwardNorm, rows),
            Tensors.rows(first.hidden, 0, rows),
            Tensors.rows(first.activated, 0, rows),
            Tensors.rows(first.out, 0, rows));
    this.blocks = whole.blocks.stream().map(any -> block).toList();
    this.norm = rows(whole.norm, rows);
  }

  /** Bytes off the heap of activations of {@code rows} rows, as the constructor allocates them. */
  static long bytes(
      TransformerConfig config, DataType type, DataType operands, int rows, boolean shared) {
    long channels = config.channels();
    long normalized = channels * operands.width() + 2L * type.width();
    long operand =
        config.attentionShape(1).rowWidth()
            + (long) config.heads() * config.headSize()
            + config.hiddenWidth()
            + config.feedForward();
    long block = 2 * normalized + operand * operands.width() + 2 * channels * type.width();
    if (config.architecture() == Architecture.QWEN3) {
      long heads = config.heads() + config.keyValueHeads();
      block += heads * (config.headSize() + 1L) * type.width();
    }
    long blocks = shared ? 1 : config.layers();
    return rows * (channels * type.width() + blocks * block + normalized);
  }

  /** The residual stream that enters a block. */
  INDArray input(int layer) {
    return layer == 0 ? embedded : blocks.get(layer - 1).out;
  }

  /** The residual stream after the last block. */
  INDArray output() {
    return blocks.get(blocks.size() - 1).out;
  }

  private static Block block(
      TransformerConfig config, int rows, Allocator stream, Allocator operand) {
    int attended = config.heads() * config.headSize();
    return new Block(
        normalized(config, rows, stream, operand),
        operand.zeros(rows, config.attentionShape(1).rowWidth()),
        config.architecture() == Architecture.QWEN3 ? heads(config, rows, stream) : null,
        operand.zeros(rows, attended),
        stream.zeros(rows, config.channels()),
        normalized(config, rows, stream, operand),
        operand.zeros(rows, config.hiddenWidth()),
        operand.zeros(rows, config.feedForward()),
        stream.zeros(rows, config.channels()));
  }

  private static Normalized normalized(
      TransformerConfig config, int rows, Allocator stream, Allocator operand) {
    return new Normalized(
        operand.zeros(rows, config.channels()), stream.zeros(rows), stream.zeros(rows));
  }

  private static Heads heads(TransformerConfig config, int rows, Allocator allocator) {
    int heads = config.heads() + config.keyValueHeads();
    return new Heads(
        allocator.zeros(rows, (long) heads * config.headSize()), allocator.zeros(rows, heads));
  }

  private static Heads rows(Heads whole, int rows) {
    return new Heads(
        Tensors.rows(whole.normalized, 0, rows), Tensors.rows(whole.inverseRms, 0, rows));
  }

  private static Normalized rows(Normalized whole, int rows) {
    return new Normalized(
        Tensors.rows(whole.values, 0, rows),
        Tensors.view(whole.mean, 0, rows),
        Tensors.view(whole.inverseDeviation, 0, rows));
  }

  @Override
  public void close() {
    owned.close();
  }

  private interface Allocator {
    INDArray zeros(long... shape);
  }
}
