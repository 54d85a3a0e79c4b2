package dev.spatz.generation;

import dev.spatz.transformer.InferenceAdapter;
import dev.spatz.transformer.WeightedAdapter;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The adapters that texts are written with, packed when the first text needs them. Those that no
 * text uses any more are kept for others to come, but only the latest few. For one thread.
 */
final class PackedAdapters implements AutoCloseable {
  private static final int MOST_UNUSED = 8;

  private final ModelParts model;
  private final Map<List<WeightedAdapter>, InferenceAdapter> packed =
      new LinkedHashMap<>(16, 0.75f, true);

  PackedAdapters(ModelParts model) {
    this.model = model;
  }

  /**
   * Packed adapters, which belong to this.
   *
   * @param adapters at least one
   * @param inUse those of all texts that are being written
   */
  InferenceAdapter get(List<WeightedAdapter> adapters, Set<List<WeightedAdapter>> inUse) {
    InferenceAdapter known = packed.get(adapters);
    if (known == null) {
      known = model.transformer().inferenceAdapter(model.kernels(), adapters);
      packed.put(adapters, known);
      dropUnused(inUse);
    }
    return known;
  }

  private void dropUnused(Set<List<WeightedAdapter>> inUse) {
    long unused = packed.keySet().stream().filter(each -> !inUse.contains(each)).count();
    Iterator<Map.Entry<List<WeightedAdapter>, InferenceAdapter>> oldest =
        packed.entrySet().iterator();
    while (unused > MOST_UNUSED) {
      Map.Entry<List<WeightedAdapter>, InferenceAdapter> each = oldest.next();
      if (!inUse.contains(each.getKey())) {
        each.getValue().close();
        oldest.remove();
        unused--;
      }
    }
  }

  /** Bytes off the heap. */
  long bytes() {
    return packed.values().stream().mapToLong(InferenceAdapter::bytes).sum();
  }

  @Override
  public void close() {
    packed.values().forEach(InferenceAdapter::close);
    packed.clear();
  }
}
