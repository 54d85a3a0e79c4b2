package dev.spatz.transformer;

import dev.spatz.kernel.NativeMemory;
import dev.spatz.kernel.TensorArena;
import dev.spatz.kernel.Tensors;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One flat buffer, off the heap, and a named view of each parameter in it. Weights are such a set;
 * gradients and the optimizer's moments are sets of the same layout.
 */
public final class ParameterSet implements AutoCloseable {
  private final ParameterLayout layout;
  private final TensorArena memory = new TensorArena();
  private final INDArray flat;
  private final Map<String, INDArray> views = new LinkedHashMap<>();
  private @Nullable Weights weights;

  private ParameterSet(ParameterLayout layout, DataType type) {
    this.layout = layout;
    this.flat = memory.zeros(type, layout.elements());
    for (Parameter parameter : layout.parameters()) {
      views.put(parameter.name(), Tensors.view(flat, parameter.offset(), parameter.shape()));
    }
  }

  /** A new set of zeros; the caller closes it. */
  public static ParameterSet zeros(ParameterLayout layout, DataType type) {
    return new ParameterSet(layout, type);
  }

  /**
   * A new set of zeros for the weights of a model.
   *
   * @throws dev.spatz.kernel.InsufficientMemoryException if there is not enough memory
   */
  static ParameterSet weights(TransformerConfig config, DataType type) {
    return weights(config, ParameterLayout.of(config), type);
  }

  /** The same of a part of the weights. */
  static ParameterSet weights(TransformerConfig config, ParameterLayout layout, DataType type) {
    NativeMemory.require(
        layout.elements() * type.width() + RotaryTable.bytes(config, type),
        String.format(Locale.ROOT, "the weights of %,d parameters", config.parameterCount()),
        "take a smaller model");
    return new ParameterSet(layout, type);
  }

  /** Which parameters there are, and where. */
  public ParameterLayout layout() {
    return layout;
  }

  /**
   * The whole buffer (elements); it belongs to this set.
   *
   * @throws IllegalStateException if the set is closed
   */
  public INDArray flat() {
    requireOpen();
    return flat;
  }

  /**
   * The view of a parameter; it belongs to this set.
   *
   * @throws IllegalArgumentException if there is none of this name
   * @throws IllegalStateException if the set is closed
   */
  public INDArray get(String name) {
    requireOpen();
    INDArray view = find(name);
    if (view == null) {
      throw new IllegalArgumentException("no parameter is named " + name);
    }
    return view;
  }

  /** Whether there is a parameter of this name. */
  public boolean has(String name) {
    return views.containsKey(name);
  }

  /** The view of a parameter, or null where the model has none of this name. */
  @Nullable INDArray find(String name) {
    return views.get(name);
  }

  /** The parameters as the model uses them, made at the first use: a step asks often. */
  Weights weights(TransformerConfig config) {
    requireOpen();
    Weights known = weights;
    if (known == null) {
      known = Weights.of(this, config);
      weights = known;
    }
    return known;
  }

  /**
   * Sets all to zero.
   *
   * @throws IllegalStateException if the set is closed
   */
  public void zero() {
    Tensors.zero(flat());
  }

  /**
   * Sets to zero what is not the weight of a linear map: embeddings, but for those that are the
   * head's weight too, and all vectors.
   */
  void zeroAllButMaps(TransformerConfig config) {
    long embeddings = config.tiedEmbeddings() ? get(ParameterLayout.TOKENS).length() : 0;
    Tensors.zero(flat(), embeddings, layout.hidden().get(0).offset());
    Tensors.zero(flat(), layout.matrixElements(), layout.elements());
  }

  /**
   * Multiplies all by a number.
   *
   * @throws IllegalStateException if the set is closed
   */
  public void scale(double factor) {
    Tensors.scale(flat(), factor);
  }

  /**
   * Copies another set of the same layout into this one.
   *
   * @throws IllegalStateException if one of them is closed
   */
  public void copyFrom(ParameterSet other) {
    Tensors.copy(other.flat(), flat());
  }

  /** The memory of a closed set is no longer ours: reading it could end the JVM. */
  void requireOpen() {
    if (flat.wasClosed()) {
      throw new IllegalStateException("the parameters are closed");
    }
  }

  /** Bytes off the heap. */
  public long bytes() {
    return layout.elements() * flat.dataType().width();
  }

  /** Frees the buffer; closing twice is fine. */
  @Override
  public void close() {
    memory.close();
  }
}
