package dev.spatz.training;

import dev.spatz.kernel.Tensors;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A copy of weights and optimizer, to go back to. */
final class Snapshot implements AutoCloseable {
  private final Map<String, INDArray> originals;
  private final Map<String, INDArray> copies = new LinkedHashMap<>();

  /** A copy of these arrays, by name, as they are now. */
  Snapshot(Map<String, INDArray> originals) {
    this.originals = originals;
    originals.forEach(
        (name, array) -> copies.put(name, Tensors.zeros(array.dataType(), array.length())));
    take();
  }

  /** Copies them anew. */
  void take() {
    originals.forEach((name, array) -> Tensors.copy(array, copies.get(name)));
  }

  /** Makes them what they were. */
  void putBack() {
    originals.forEach((name, array) -> Tensors.copy(copies.get(name), array));
  }

  /** The copies by name. */
  Map<String, INDArray> arrays() {
    return copies;
  }

  @Override
  public void close() {
    copies.values().forEach(INDArray::close);
  }
}
