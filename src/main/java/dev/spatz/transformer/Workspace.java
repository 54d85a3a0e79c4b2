package dev.spatz.transformer;

import dev.spatz.kernel.AttentionShape;
import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.TensorArena;
import dev.spatz.kernel.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
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
  final Gradients gradients;

  /** Of each row: the loss, and the factor of its gradient. */
  final double[] losses;

  final double[] factors;
  private final TransformerConfig config;
  private final TensorArena owned = new TensorArena();
  private final Map<Long, PackedSequence> views = new HashMap<>();
  private final PackedSequence whole;
  private List<PackedSequence> packed;
  private @Nullable WidenedMaps widened;
  private @Nullable LowRankPass adapter;
  private DropoutSites dropout;

  /**
   * Gradients of activations; one block's arrays serve all blocks.
   *
   * @param stream of the residual stream (R,C)
   * @param branch of a residual branch after dropout (R,C)
   * @param normalized of a normalization's result (R,C)
   * @param qkv (R,(H+2G)·D)
   * @param attended (R,H·D)
   * @param hidden (R,F) or (R,2F)
   * @param activated (R,F); the same array as {@code hidden} where that is as wide
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
    this.config = config;
    this.sequences = sequences;
    this.time = time;
    int rows = Math.multiplyExact(sequences, time);
    this.positions = new int[rows];
    this.losses = new double[rows];
    this.factors = new double[rows];
    this.activations = new Activations(config, type, operands, rows, false);
    this.logits = owned.zeros(type, logitRows(config, rows), config.vocabularySize());
    INDArray hidden = owned.zeros(operands, rows, config.hiddenWidth());
    this.gradients =
        new Gradients(
            owned.zeros(type, rows, config.channels()),
            owned.zeros(type, rows, config.channels()),
            owned.zeros(operands, rows, config.channels()),
            owned.zeros(operands, rows, config.attentionShape(time).rowWidth()),
            owned.zeros(operands, rows, config.heads() * config.headSize()),
            hidden,
            config.gated() ? owned.zeros(operands, rows, config.feedForward()) : hidden);
    this.whole = view(0, rows, config.attentionShape(time));
    this.packed = List.of(whole);
    this.dropout = new DropoutSites(config.dropout(), 0, config.layers(), 0);
    alignAll();
  }

  private static int logitRows(TransformerConfig config, int rows) {
    return Math.min(rows, Math.max(LEAST_LOGIT_ROWS, LOGITS / config.vocabularySize()));
  }

  /**
   * Bytes off the heap of a workspace of a float32 model.
   *
   * @param mixed whether it is trained in mixed precision
   */
  public static long bytes(TransformerConfig config, boolean mixed, int sequences, int time) {
    DataType operands = mixed ? DataType.BFLOAT16 : DataType.FLOAT;
    return bytes(config, DataType.FLOAT, operands, sequences, time);
  }

  /** The same of any types, as the constructor allocates it. */
  static long bytes(
      TransformerConfig config, DataType type, DataType operands, int sequences, int time) {
    int rows = Math.multiplyExact(sequences, time);
    long logits = (long) logitRows(config, rows) * config.vocabularySize();
    long stream = 2L * config.channels();
    long operand =
        config.channels()
            + config.attentionShape(time).rowWidth()
            + (long) config.heads() * config.headSize()
            + config.hiddenWidth()
            + (config.gated() ? config.feedForward() : 0);
    return Activations.bytes(config, type, operands, rows, false)
        + type.width() * (logits + rows * stream)
        + operands.width() * rows * operand;
  }

  /** Lays out the rows as at first: sequences of T positions after each other. */
  public void alignAll() {
    packed = List.of(whole);
    for (int row = 0; row < positions.length; row++) {
      positions[row] = row % time;
    }
  }

  /**
   * Lays out the rows anew: sequences of these lengths after each other, each with positions from 0
   * on and attention within itself. The more different lengths and places there are, the more
   * memory their views take; multiples of 16 are fast.
   *
   * @param lengths positive, each at most T, together R
   * @throws IllegalArgumentException if a length is out of its range, or their sum is not R
   */
  public void pack(int... lengths) {
    if (IntStream.of(lengths).asLongStream().sum() != rows()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "sequences of %,d rows must fill the workspace's %,d",
              IntStream.of(lengths).asLongStream().sum(),
              rows()));
    }
    List<PackedSequence> sequencesNow = new ArrayList<>(lengths.length);
    int from = 0;
    for (int length : lengths) {
      if (length < 1 || length > time) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "length of a sequence (%d) must be from 1 to %d", length, time));
      }
      int first = from;
      sequencesNow.add(
          views.computeIfAbsent(
              (long) from << Integer.SIZE | length,
              any -> view(first, length, config.attentionShape(length))));
      for (int i = 0; i < length; i++) {
        positions[from + i] = i;
      }
      from += length;
    }
    packed = sequencesNow;
  }

  /** The sequences as they are laid out now. */
  List<PackedSequence> packed() {
    return packed;
  }

  private PackedSequence view(int from, int rows, AttentionShape shape) {
    List<PackedSequence.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      Activations.Block block = activations.blocks.get(layer);
      layers.add(
          new PackedSequence.Layer(
              Tensors.rows(block.qkv(), from, from + rows),
              Tensors.rows(block.attended(), from, from + rows)));
    }
    return new PackedSequence(
        shape,
        layers,
        Tensors.rows(gradients.attended(), from, from + rows),
        Tensors.rows(gradients.qkv(), from, from + rows));
  }

  /** From now on, passes read the matrices of a frozen model; they are closed with this. */
  void widen(WidenedMaps maps) {
    widened = maps;
  }

  /** The weights of a model for a pass over this workspace, without adapter. */
  Weights weights(Weights own) {
    return widened == null ? own : widened.weights();
  }

  /** From now on, passes have the updates of an adapter that is trained; it is closed with this. */
  void adapt(LowRankPass pass) {
    adapter = pass;
    dropout = pass.dropout(config);
  }

  /**
   * The dropout of a pass over this workspace, until it is asked for again.
   *
   * @param step the random numbers of the pass's training step
   * @param firstSequence index in the whole batch of the pass's first sequence
   */
  public DropoutSites dropout(CounterRandom step, long firstSequence) {
    return dropout.moveTo(step, firstSequence);
  }

  /**
   * The weights for a pass over this workspace.
   *
   * @param own those of the model
   * @param gradients where the adapter's gradients go, or null for a forward only
   */
  Weights weights(Weights own, DropoutSites sites, @Nullable ParameterSet gradients) {
    return adapter == null ? weights(own) : adapter.weights(sites, gradients);
  }

  /** The number of positions of a pass, B·T. */
  public int rows() {
    return positions.length;
  }

  /** Frees the memory; closing twice is fine. */
  @Override
  public void close() {
    activations.close();
    if (adapter != null) {
      adapter.close();
    }
    if (widened != null) {
      widened.close();
    }
    owned.close();
  }
}
