package dev.spatz.transformer;

import dev.spatz.kernel.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The memory of one training or evaluation pass over B sequences of T positions: activations of all
 * blocks and their gradients, allocated once and used by one thread at a time. The caller closes
 * it.
 */
public final class Workspace implements AutoCloseable {
  /** Logits of at most about this many elements are held at a time (4 MiB of float32) … */
  private static final int LOGITS = 1 << 20;

  /** … but of at least this many rows, so that the head's weights are not read too often. */
  private static final int LEAST_LOGIT_ROWS = 512;

  final int sequences;
  final int time;
  final int[] positions;
  final Activations activations;
  final INDArray logits;
  final List<INDArray> logSumExp = new ArrayList<>();
  final Gradients gradients;
  private final List<INDArray> owned = new ArrayList<>();

  /**
   * Gradients of activations; one block's arrays serve all blocks.
   *
   * @param stream of the residual stream (R,C)
   * @param branch of a residual branch after dropout (R,C)
   * @param normalized of a normalization's result (R,C)
   * @param qkv (R,(H+2G)·D)
   * @param attended (R,H·D)
   * @param hidden (R,F) or (R,2F)
   * @param activated (R,F)
   */
  record Gradients(
      INDArray stream,
      INDArray branch,
      INDArray normalized,
      INDArray qkv,
      INDArray attended,
      INDArray hidden,
      INDArray activated) {}

  /**
   * Arrays of two types.
   *
   * @param operands of what linear maps and attention read and write between the streams
   */
  Workspace(TransformerConfig config, DataType type, DataType operands, int sequences, int time) {
    this.sequences = sequences;
    this.time = time;
    int rows = Math.multiplyExact(sequences, time);
    this.positions = new int[rows];
    for (int row = 0; row < rows; row++) {
      positions[row] = row % time;
    }
    this.activations = new Activations(config, type, operands, rows, false);
    for (int layer = 0; layer < config.layers(); layer++) {
      logSumExp.add(zeros(type, sequences, config.heads(), time));
    }
    int logitRows = Math.min(rows, Math.max(LEAST_LOGIT_ROWS, LOGITS / config.vocabularySize()));
    this.logits = zeros(type, logitRows, config.vocabularySize());
    this.gradients =
        new Gradients(
            zeros(type, rows, config.channels()),
            zeros(type, rows, config.channels()),
            zeros(operands, rows, config.channels()),
            zeros(operands, rows, config.attentionShape(time).rowWidth()),
            zeros(operands, rows, config.heads() * config.headSize()),
            zeros(operands, rows, config.hiddenWidth()),
            zeros(operands, rows, config.feedForward()));
  }

  /** The number of positions of a pass, B·T. */
  public int rows() {
    return positions.length;
  }

  private INDArray zeros(DataType type, long... shape) {
    INDArray array = Tensors.zeros(type, shape);
    owned.add(array);
    return array;
  }

  /** Frees the memory; closing twice is fine. */
  @Override
  public void close() {
    activations.close();
    owned.forEach(INDArray::close);
    owned.clear();
  }
}
