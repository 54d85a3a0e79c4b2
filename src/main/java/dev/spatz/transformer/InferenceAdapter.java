package dev.spatz.transformer;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.PackedWeights;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Adapters as decoding reads them: for each linear map that they change, the A of all of them below
 * each other, and their B side by side, scaled, with zeros where an update changes no outputs. So
 * several adapters together cost two products a map, as one does. The caller closes it, when no
 * sequence is decoded with it any more.
 */
public final class InferenceAdapter implements AutoCloseable {
  private final List<WeightedAdapter> adapters;
  private final Map<String, Update> updates = new HashMap<>();

  /**
   * The update of a linear map.
   *
   * @param a (Σr,I)
   * @param b (O,Σr)
   * @param rank Σr
   */
  record Update(PackedWeights a, PackedWeights b, int rank) {}

  InferenceAdapter(Transformer model, KernelBackend backend, List<WeightedAdapter> adapters) {
    adapters.forEach(each -> each.adapter().requireFits(model.config()));
    this.adapters = List.copyOf(adapters);
    Map<String, Stack> stacks = new LinkedHashMap<>();
    for (LoraModule module : LoraModule.of(model.config())) {
      Stack stack = stacks.computeIfAbsent(module.map(), any -> new Stack());
      stack.inputs = module.inputs();
      stack.outputs = Math.max(stack.outputs, module.firstRow() + module.outputs());
    }
    for (WeightedAdapter each : adapters) {
      int rank = each.adapter().config().rank();
      each.adapter().modules().forEach(module -> stacks.get(module.map()).rank += rank);
    }
    try (Kernels kernels = backend.create()) {
      for (Map.Entry<String, Stack> stack : stacks.entrySet()) {
        if (stack.getValue().rank > 0) {
          updates.put(
              stack.getKey(),
              stack.getValue().pack(kernels, model.dataType(), stack.getKey(), adapters));
        }
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** The sizes of the update of a linear map. */
  private static final class Stack {
    int inputs;
    int outputs;
    int rank;

    Update pack(Kernels kernels, DataType type, String map, List<WeightedAdapter> adapters) {
      float[] a = new float[Math.multiplyExact(rank, inputs)];
      float[] b = new float[Math.multiplyExact(outputs, rank)];
      int at = 0;
      for (WeightedAdapter each : adapters) {
        int own = each.adapter().config().rank();
        for (LoraModule module : each.adapter().modules()) {
          if (module.map().equals(map)) {
            float[] ownA = each.adapter().a(module);
            float[] ownB = each.adapter().b(module);
            System.arraycopy(ownA, 0, a, at * inputs, ownA.length);
            for (int o = 0; o < module.outputs(); o++) {
              for (int r = 0; r < own; r++) {
                b[(module.firstRow() + o) * rank + at + r] =
                    (float) (each.scale() * ownB[o * own + r]);
              }
            }
            at += own;
          }
        }
      }
      PackedWeights packed = pack(kernels, type, a, inputs);
      return new Update(packed, pack(kernels, type, b, rank), rank);
    }

    private static PackedWeights pack(Kernels kernels, DataType type, float[] values, int columns) {
      try (INDArray array = Tensors.zeros(type, values.length / columns, columns)) {
        Tensors.write(array, 0, values, 0, values.length);
        return kernels.pack(array, WeightPrecision.FLOAT32);
      }
    }
  }

  /** What is packed. */
  List<WeightedAdapter> adapters() {
    return adapters;
  }

  /** The update of a linear map, or null if it has none. */
  @Nullable Update find(String map) {
    return updates.get(map);
  }

  /** Bytes off the heap. */
  public long bytes() {
    return updates.values().stream().mapToLong(each -> each.a.bytes() + each.b.bytes()).sum();
  }

  /** Frees the memory; closing twice is fine. */
  @Override
  public void close() {
    for (Update update : updates.values()) {
      update.a.close();
      update.b.close();
    }
  }
}
