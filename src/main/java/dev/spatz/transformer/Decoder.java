package dev.spatz.transformer;

import dev.spatz.kernel.AttentionShape;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One sequence being decoded: the keys and values of its tokens so far, and the memory to append
 * more. It belongs to one thread at a time and is closed by its owner, before the model is.
 *
 * <p>Tokens are taken in blocks of 64, 8 or 1 rows, so that only these three shapes of matrix
 * products occur.
 */
public final class Decoder implements AutoCloseable {
  private static final int[] BLOCKS = {64, 8, 1};

  private final Transformer transformer;
  private final AttentionShape shape;
  private final List<INDArray> keys = new ArrayList<>();
  private final List<INDArray> values = new ArrayList<>();
  private final Activations largest;
  private final TreeMap<Integer, Block> blocks = new TreeMap<>();
  private final INDArray logits;
  private int position;

  /** Memory of a block of rows; the last row and its normalization are what the head reads. */
  private record Block(
      Activations activations,
      int[] ids,
      int[] positions,
      INDArray last,
      Activations.Normalized norm) {

    static Block of(Activations largest, int rows) {
      Activations activations = new Activations(largest, rows);
      return new Block(
          activations,
          new int[rows],
          new int[rows],
          Tensors.rows(activations.output(), rows - 1, rows),
          new Activations(largest, 1).norm);
    }
  }

  Decoder(Transformer transformer) {
    this.transformer = transformer;
    TransformerConfig config = transformer.config();
    DataType type = transformer.dataType();
    this.shape = config.attentionShape(1);
    for (int layer = 0; layer < config.layers(); layer++) {
      keys.add(cache(config, type));
      values.add(cache(config, type));
    }
    this.largest = new Activations(config, type, BLOCKS[0], true);
    for (int rows : BLOCKS) {
      blocks.put(rows, Block.of(largest, rows));
    }
    this.logits = Tensors.zeros(type, 1, config.vocabularySize());
  }

  private static INDArray cache(TransformerConfig config, DataType type) {
    return Tensors.zeros(type, config.keyValueHeads(), config.contextLength(), config.headSize());
  }

  /** The number of tokens taken so far. */
  public int position() {
    return position;
  }

  /** How many more tokens fit into the context. */
  public int room() {
    return transformer.config().contextLength() - position;
  }

  /**
   * Takes the next tokens of the sequence.
   *
   * @param ids one or more token ids
   * @return logits (1,V) of the token that follows the last one; the array belongs to the decoder
   *     and is overwritten by the next call
   * @throws IllegalArgumentException if there is no token, one is outside the vocabulary, or they
   *     exceed the room
   * @throws IllegalStateException if the decoder is closed
   */
  public INDArray accept(Kernels kernels, int... ids) {
    requireAcceptable(ids);
    int from = 0;
    while (from < ids.length) {
      Block block = blocks.floorEntry(ids.length - from).getValue();
      int rows = block.ids.length;
      System.arraycopy(ids, from, block.ids, 0, rows);
      from += rows;
      forward(kernels, block);
      if (from == ids.length) {
        transformer.logits(kernels, block.last, block.norm, logits);
      }
    }
    return logits;
  }

  /**
   * Forgets all tokens from {@code length} on.
   *
   * @throws IllegalArgumentException if the length is negative or beyond the position
   */
  public void truncate(int length) {
    if (length < 0 || length > position) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "length (%d) must be from 0 to the position (%d)", length, position));
    }
    position = length;
  }

  private void forward(Kernels kernels, Block block) {
    int first = position;
    for (int row = 0; row < block.positions.length; row++) {
      block.positions[row] = first + row;
    }
    Transformer.Attention attention =
        (layer, qkv, out) ->
            kernels.attentionCached(qkv, shape, first, keys.get(layer), values.get(layer), out);
    transformer.forward(
        kernels,
        block.ids,
        block.positions,
        block.ids.length,
        block.activations,
        attention,
        DropoutSites.NONE);
    position += block.ids.length;
  }

  private void requireAcceptable(int[] ids) {
    if (logits.wasClosed()) {
      throw new IllegalStateException("the decoder is closed");
    }
    if (ids.length == 0) {
      throw new IllegalArgumentException("there is no token to accept");
    }
    if (ids.length > room()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%,d tokens after %,d exceed the contextLength (%,d)",
              ids.length,
              position,
              transformer.config().contextLength()));
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

  /** Frees the memory; closing twice is fine. */
  @Override
  public void close() {
    if (logits.wasClosed()) {
      return;
    }
    keys.forEach(INDArray::close);
    values.forEach(INDArray::close);
    largest.close();
    logits.close();
  }
}
