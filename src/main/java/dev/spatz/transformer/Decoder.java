package dev.spatz.transformer;

import dev.spatz.kernel.AttentionShape;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.TensorArena;
import dev.spatz.kernel.Tensors;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs new tokens of sequences through the model: many tokens of one sequence, or one token of each
 * of many sequences in one pass over the weights. It holds the memory of such a pass; what a
 * sequence's tokens leave behind is in its {@link KeyValueCache}. It belongs to one thread at a
 * time and is closed by its owner, before the model is.
 *
 * <p>Rows pass the linear maps in blocks of few sizes, so that few shapes of matrix products occur
 * there. With packed weights, the bits of a row do not depend on what else is in its block, nor on
 * the block's size.
 */
public final class Decoder implements AutoCloseable {
  /** The most sequences that can be decoded together. */
  public static final int MOST_SEQUENCES = 64;

  /** Of a sequence's heads, for different threads, … */
  private static final int PARTS = 2;

  /** … unless each has so many sequences: a call for all heads is faster than two. */
  private static final int MANY_SEQUENCES = 2;

  /** From each power of two to the next there are so many sizes: a product has much code. */
  private static final int SIZES = 2;

  private final Transformer transformer;
  private final @Nullable InferenceWeights packed;
  private final AttentionShape shape;
  private final RowUpdates updates;
  private final Weights weights;
  private final Activations largest;
  private final TensorArena owned = new TensorArena();
  private final INDArray logits;

  /** By the number of their rows, made when first needed. */
  private final Map<Integer, Block> blocks = new HashMap<>();

  /** Each row of a block alone: (1,(H+2G)·D), … */
  private final List<INDArray> qkv;

  /** … (1,H·D) … */
  private final List<INDArray> attended;

  /** … and of the residual stream (1,C). */
  private final List<INDArray> outputs;

  /**
   * Views of the memory of a block of rows.
   *
   * @param logits all rows' (R,V)
   */
  private record Block(Activations activations, int[] ids, int[] positions, INDArray logits) {
    int rows() {
      return ids.length;
    }
  }

  Decoder(Transformer transformer, @Nullable InferenceWeights packed) {
    this.transformer = transformer;
    this.packed = packed;
    TransformerConfig config = transformer.config();
    this.shape = config.attentionShape(1);
    this.updates = new RowUpdates(transformer.dataType(), packed == null ? null : packed.team());
    this.weights =
        (packed == null ? transformer.weights() : packed.weights()).withMaps(updates::of);
    this.largest = new Activations(config, transformer.dataType(), MOST_SEQUENCES, true);
    this.logits = owned.zeros(transformer.dataType(), MOST_SEQUENCES, config.vocabularySize());
    Activations.Block any = largest.blocks.get(0);
    this.qkv = eachRow(any.qkv());
    this.attended = eachRow(any.attended());
    this.outputs = eachRow(largest.output());
  }

  private static List<INDArray> eachRow(INDArray matrix) {
    return IntStream.range(0, MOST_SEQUENCES)
        .mapToObj(i -> Tensors.rows(matrix, i, i + 1))
        .toList();
  }

  /** The smallest block that holds so many rows; those beyond mean nothing, a third at most. */
  private Block block(int count) {
    int step = Math.max(1, Integer.highestOneBit(count) / SIZES);
    int size = (count + step - 1) / step * step;
    return blocks.computeIfAbsent(
        size,
        rows ->
            new Block(
                new Activations(largest, rows),
                new int[rows],
                new int[rows],
                Tensors.rows(logits, 0, rows)));
  }

  /**
   * Takes the next tokens of a sequence.
   *
   * @param cache of the sequence, made by the same model
   * @param ids one or more token ids
   * @return logits (1,V) of the token that follows the last one; the array belongs to the decoder
   *     and is overwritten by the next call
   * @throws IllegalArgumentException if there is no token, one is outside the vocabulary, or they
   *     exceed the room
   * @throws IllegalStateException if the decoder or the sequence is closed
   */
  public INDArray accept(Kernels kernels, KeyValueCache cache, int... ids) {
    take(
        kernels,
        cache,
        ids,
        (block, first, count) -> {
          if (first + count == ids.length) {
            Block last = block(1);
            INDArray output = outputs.get(count - 1);
            weights().logits(kernels, output, last.activations.norm, last.logits);
          }
        });
    return block(1).logits;
  }

  /**
   * Takes the next tokens of a sequence, with the logits after each of them.
   *
   * @param reader is given (R,V), block by block
   * @throws IllegalArgumentException as {@link #accept}
   * @throws IllegalStateException as {@link #accept}
   */
  public void acceptForLogits(Kernels kernels, KeyValueCache cache, int[] ids, RowReader reader) {
    take(
        kernels,
        cache,
        ids,
        (block, first, count) -> {
          Activations activations = block.activations;
          weights().logits(kernels, activations.output(), activations.norm, block.logits);
          reader.read(block.logits, first, count);
        });
  }

  /**
   * Takes the next tokens of a sequence, with the hidden state of each: the last block's output,
   * normalized, which the logits are made of.
   *
   * @param reader is given (R,C), block by block
   * @throws IllegalArgumentException as {@link #accept}
   * @throws IllegalStateException as {@link #accept}
   */
  public void acceptForStates(Kernels kernels, KeyValueCache cache, int[] ids, RowReader reader) {
    take(
        kernels,
        cache,
        ids,
        (block, first, count) -> {
          Activations activations = block.activations;
          weights().norm().forward(kernels, activations.output(), activations.norm);
          reader.read(activations.norm.values(), first, count);
        });
  }

  /** Reads what there is for each of some tokens. */
  @FunctionalInterface
  public interface RowReader {
    /**
     * Reads rows.
     *
     * @param rows whose row i is for token {@code first + i} of the call's; those from {@code
     *     count} on mean nothing; valid during the call
     */
    void read(INDArray rows, int first, int count);
  }

  /** What is done with a block after its forward pass, for tokens {@code first}… of the call. */
  private interface AfterBlock {
    void run(Block block, int first, int count);
  }

  private void take(Kernels kernels, KeyValueCache cache, int[] ids, AfterBlock after) {
    requireIds(ids);
    cache.requireRoom(ids.length);
    cache.reserve(ids.length);
    updates.all(cache);
    for (int from = 0; from < ids.length; from += MOST_SEQUENCES) {
      int count = Math.min(ids.length - from, MOST_SEQUENCES);
      Block block = block(count);
      Arrays.fill(block.ids, 0); // rows beyond the tokens are computed, and mean nothing
      System.arraycopy(ids, from, block.ids, 0, count);
      forward(kernels, block, cache, count);
      after.run(block, from, count);
    }
  }

  /**
   * Takes the next token of each of several sequences, in one pass over the weights.
   *
   * @param caches of 1 to {@value #MOST_SEQUENCES} different sequences, made by the same model
   * @param ids the next token id of each
   * @return logits (at least one row a sequence, V): row i belongs to sequence i; the array belongs
   *     to the decoder and is overwritten by the next call
   * @throws IllegalArgumentException if there are no or too many sequences, not as many ids, an id
   *     outside the vocabulary, or a sequence without room
   * @throws IllegalStateException if the decoder or a sequence is closed
   */
  public INDArray acceptEach(Kernels kernels, List<KeyValueCache> caches, int... ids) {
    requireIds(ids);
    if (ids.length != caches.size() || ids.length > MOST_SEQUENCES) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d ids for %d sequences; there must be one for each of at most %d",
              ids.length,
              caches.size(),
              MOST_SEQUENCES));
    }
    caches.forEach(cache -> cache.requireRoom(1));
    caches.forEach(cache -> cache.reserve(1));
    updates.each(caches);
    Block block = block(ids.length);
    Arrays.fill(block.ids, 0); // rows beyond the sequences are computed, and mean nothing
    Arrays.fill(block.positions, 0);
    for (int i = 0; i < ids.length; i++) {
      block.ids[i] = ids[i];
      block.positions[i] = caches.get(i).length();
    }
    Passes.Attention attention =
        (layer, allQkv, allOut) ->
            eachPart(
                kernels,
                ids.length,
                (using, i, firstGroup, groups) ->
                    using.attentionCached(
                        qkv.get(i),
                        shape,
                        block.positions[i],
                        firstGroup,
                        groups,
                        caches.get(i).keys.get(layer),
                        caches.get(i).values.get(layer),
                        attended.get(i)));
    forward(kernels, block, attention);
    caches.forEach(cache -> cache.extend(1));
    weights().logits(kernels, block.activations.output(), block.activations.norm, block.logits);
    return block.logits;
  }

  private void forward(Kernels kernels, Block block, KeyValueCache cache, int count) {
    int first = cache.length();
    Arrays.fill(block.positions, 0);
    for (int row = 0; row < count; row++) {
      block.positions[row] = first + row;
    }
    INDArray in = first(block.activations.blocks.get(0).qkv(), count);
    INDArray out = first(block.activations.blocks.get(0).attended(), count);
    Passes.Attention attention =
        (layer, allQkv, allOut) ->
            eachPart(
                kernels,
                1,
                (using, i, firstGroup, groups) ->
                    using.attentionCached(
                        in,
                        shape,
                        first,
                        firstGroup,
                        groups,
                        cache.keys.get(layer),
                        cache.values.get(layer),
                        out));
    forward(kernels, block, attention);
    cache.extend(count);
  }

  /** Attention of some groups of heads of the {@code sequence}-th sequence. */
  private interface GroupsAttention {
    void run(Kernels kernels, int sequence, int firstGroup, int groups);
  }

  /** The attention of some sequences, of whose heads a part of the job has some. */
  private record Heads(GroupsAttention attention, int sequences, int groups, int parts)
      implements SliceTeam.Job {
    @Override
    public void run(Kernels kernels, int i) {
      int from = i % parts * groups / parts;
      int to = (i % parts + 1) * groups / parts;
      attention.run(kernels, i / parts, from, to - from);
    }

    @Override
    public void runAll(Kernels kernels, int all) {
      for (int i = 0; i < sequences; i++) {
        attention.run(kernels, i, 0, groups);
      }
    }
  }

  /** Shares the attention of all heads of some sequences among the threads. */
  private void eachPart(Kernels kernels, int sequences, GroupsAttention attention) {
    int groups = shape.keyValueHeads();
    int threads = packed == null ? 1 : packed.team().threads();
    int parts = sequences < MANY_SEQUENCES * threads ? Math.min(PARTS, groups) : 1;
    Heads heads = new Heads(attention, sequences, groups, parts);
    if (packed != null) {
      packed.team().run(kernels, sequences * parts, heads);
    } else {
      heads.runAll(kernels, sequences * parts);
    }
  }

  private static INDArray first(INDArray matrix, int rows) {
    return matrix.size(0) == rows ? matrix : Tensors.rows(matrix, 0, rows);
  }

  private void forward(Kernels kernels, Block block, Passes.Attention attention) {
    transformer
        .passes()
        .forward(
            kernels,
            weights(),
            block.ids,
            block.positions,
            block.rows(),
            block.activations,
            attention,
            DropoutSites.NONE);
  }

  private Weights weights() {
    if (packed != null) {
      packed.requireOpen();
    }
    return weights;
  }

  private void requireIds(int[] ids) {
    if (logits.wasClosed()) {
      throw new IllegalStateException("the decoder is closed");
    }
    if (ids.length == 0) {
      throw new IllegalArgumentException("there is no token to accept");
    }
    int vocabularySize = transformer.config().vocabularySize();
    for (int id : ids) {
      if (id < 0 || id >= vocabularySize) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "token id %d is outside the vocabulary of %,d", id, vocabularySize));
      }
    }
  }

  /** Bytes off the heap. */
  public long bytes() {
    if (logits.wasClosed()) {
      return 0;
    }
    DataType type = logits.dataType();
    return Activations.bytes(transformer.config(), type, type, MOST_SEQUENCES, true)
        + logits.length() * type.width()
        + updates.bytes();
  }

  /** Frees the memory; closing twice is fine. */
  @Override
  public void close() {
    if (!logits.wasClosed()) {
      largest.close();
      updates.close();
      owned.close();
    }
  }
}
