package dev.spatz.transformer;

import dev.spatz.kernel.Tensors;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A trained low-rank adapter, a value that never changes: any number of models of the fitting shape
 * may use it at once. Its float32 weights lie on the Java heap, since they are few and have many
 * users, none of whom could say when to free them; whoever computes with them keeps copies.
 */
public final class LoraAdapter {
  private final LoraConfig config;
  private final List<LoraModule> modules;
  private final Map<String, float[]> values;
  private final Map<String, String> origin;

  private LoraAdapter(
      LoraConfig config,
      List<LoraModule> modules,
      Map<String, float[]> values,
      Map<String, String> origin) {
    this.config = config;
    this.modules = List.copyOf(modules);
    this.values = values;
    this.origin = Collections.unmodifiableMap(new LinkedHashMap<>(origin));
  }

  /**
   * An adapter of the weights that a set has now.
   *
   * @param modules the matrices that it changes
   * @param weights of the layout of these modules and the configuration's rank
   * @param origin what is known of where it comes from, by name
   */
  public static LoraAdapter of(
      LoraConfig config,
      List<LoraModule> modules,
      ParameterSet weights,
      Map<String, String> origin) {
    Map<String, float[]> values = new LinkedHashMap<>();
    for (Parameter parameter : weights.layout().parameters()) {
      values.put(parameter.name(), Tensors.toFloats(weights.get(parameter.name())));
    }
    return new LoraAdapter(config, modules, values, origin);
  }

  /** Rank, scale and targets. */
  public LoraConfig config() {
    return config;
  }

  /** The matrices that it changes. */
  public List<LoraModule> modules() {
    return modules;
  }

  /** What is known of where it comes from, by name. */
  public Map<String, String> origin() {
    return origin;
  }

  /** This adapter with another origin. */
  public LoraAdapter withOrigin(Map<String, String> value) {
    return new LoraAdapter(config, modules, values, value);
  }

  /**
   * This adapter as one of several that are used together.
   *
   * @param weight factor of its update, 1 as it was trained
   * @throws IllegalArgumentException if it is not finite
   */
  public WeightedAdapter weighted(double weight) {
    return new WeightedAdapter(this, weight);
  }

  /** The number of its weights. */
  public long parameterCount() {
    return values.values().stream().mapToLong(array -> array.length).sum();
  }

  /** A copy of A (r,I) of a module, row by row. */
  public float[] a(LoraModule module) {
    return get(module.a()).clone();
  }

  /** A copy of B (O,r) of a module, row by row. */
  public float[] b(LoraModule module) {
    return get(module.b()).clone();
  }

  private float[] get(String name) {
    float[] array = values.get(name);
    if (array == null) {
      throw new IllegalArgumentException("the adapter does not change " + name);
    }
    return array;
  }

  /**
   * Checks that it is for models of such a shape.
   *
   * @throws IllegalArgumentException if it changes a matrix that they do not have; the message
   *     names the first one
   */
  public void requireFits(TransformerConfig model) {
    List<LoraModule> possible = LoraModule.of(model);
    for (LoraModule module : modules) {
      if (!possible.contains(module)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "the adapter is for another model: it changes %s of layer %d from %,d inputs to %,d"
                    + " outputs, which this model (%s) does not have",
                module.target(),
                module.layer(),
                module.inputs(),
                module.outputs(),
                model));
      }
    }
  }
}
