package dev.spatz.bench;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a comparison of recipes has found so far: steps and losses of its variants, kept in a
 * properties file where there is one.
 */
final class RecipeRecord {
  private final @Nullable Path file;
  private final Map<String, Double> values = new TreeMap<>();

  /** Goes on with what the file has; null: nothing is kept. */
  RecipeRecord(@Nullable Path file) throws IOException {
    this.file = file;
    if (file != null && Files.exists(file)) {
      Properties kept = new Properties();
      try (Reader reader = Files.newBufferedReader(file)) {
        kept.load(reader);
        kept.forEach((name, value) -> values.put((String) name, Double.valueOf((String) value)));
      } catch (IllegalArgumentException e) {
        throw new IOException(file + ": not a record of recipes: " + e.getMessage(), e);
      }
    }
  }

  /** The number of steps in the time, or null if it was not measured. */
  @Nullable Long steps(RecipeVariant variant) {
    Double steps = values.get("steps." + variant);
    return steps == null ? null : steps.longValue();
  }

  void keepSteps(RecipeVariant variant, long steps) throws IOException {
    keep("steps." + variant, steps);
  }

  boolean has(RecipeVariant variant, long seed) {
    return values.containsKey(name(variant, seed));
  }

  void keepLoss(RecipeVariant variant, long seed, double loss) throws IOException {
    keep(name(variant, seed), loss);
  }

  /**
   * The losses of seeds 1 to {@code seeds}.
   *
   * @param other whose losses of the same seeds are subtracted, or null
   */
  double[] losses(RecipeVariant variant, @Nullable RecipeVariant other, int seeds) {
    List<Double> losses = new ArrayList<>();
    for (long seed = 1; seed <= seeds; seed++) {
      if (has(variant, seed) && (other == null || has(other, seed))) {
        double subtrahend = other == null ? 0 : values.get(name(other, seed));
        losses.add(values.get(name(variant, seed)) - subtrahend);
      }
    }
    return losses.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static String name(RecipeVariant variant, long seed) {
    return "loss." + variant + "." + seed;
  }

  private void keep(String name, double value) throws IOException {
    values.put(name, value);
    if (file != null) {
      Properties all = new Properties();
      values.forEach((key, each) -> all.setProperty(key, each.toString()));
      try (Writer writer = Files.newBufferedWriter(file)) {
        all.store(writer, null);
      }
    }
  }
}
