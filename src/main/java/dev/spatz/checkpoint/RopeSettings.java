package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.transformer.RopeScaling;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The settings of rotary positions in {@code config.json}. Older files have {@code rope_theta} at
 * the top and {@code rope_scaling} below, newer ones everything in {@code rope_parameters}.
 *
 * @param theta base of the frequencies
 * @param scaling how they are lowered
 */
record RopeSettings(double theta, RopeScaling scaling) {
  private static final double DEFAULT_THETA = 10_000;
  private static final String THETA = "rope_theta";
  private static final String FACTOR = "factor";
  private static final String LOW = "low_freq_factor";
  private static final String HIGH = "high_freq_factor";
  private static final String ORIGINAL = "original_max_position_embeddings";
  private static final String WHOLE = "partial_rotary_factor";

  static RopeSettings read(JsonObject config) throws InvalidFileException {
    requireWholeHeads(config);
    double theta = config.number(DEFAULT_THETA, THETA);
    JsonObject older = config.object("rope_scaling");
    JsonObject newer = config.object("rope_parameters");
    RopeScaling scaling = older == null ? RopeScaling.NONE : scaling(older);
    if (newer == null) {
      return new RopeSettings(theta(older, THETA, theta, config), scaling);
    }
    RopeScaling newerScaling = scaling(newer);
    if (older != null && !scaling.equals(newerScaling)) {
      throw config.invalid("rope_scaling", "rope_parameters contradict it");
    }
    return new RopeSettings(theta(newer, THETA, theta, config), newerScaling);
  }

  private static double theta(
      @Nullable JsonObject rope, String key, double theta, JsonObject config)
      throws InvalidFileException {
    double inner = rope == null ? theta : rope.number(theta, key);
    if (rope != null && config.has(key) && theta != inner) {
      throw rope.invalid(key, key + " at the top (" + theta + ") contradicts it");
    }
    return inner;
  }

  private static RopeScaling scaling(JsonObject rope) throws InvalidFileException {
    String type = rope.text(rope.text("default", "type"), "rope_type");
    if (!rope.text(type, "type").equals(type)) {
      throw rope.invalid("type", "rope_type (" + type + ") contradicts it");
    }
    requireWholeHeads(rope);
    List<String> keys;
    RopeScaling scaling;
    try {
      switch (type) {
        case "default" -> {
          keys = List.of();
          scaling = RopeScaling.NONE;
        }
        case "linear" -> {
          keys = List.of(FACTOR);
          scaling = new RopeScaling.Linear(required(rope, FACTOR));
        }
        case "llama3" -> {
          keys = List.of(FACTOR, LOW, HIGH, ORIGINAL);
          scaling =
              new RopeScaling.Llama3(
                  required(rope, FACTOR),
                  required(rope, LOW),
                  required(rope, HIGH),
                  rope.integer(0, ORIGINAL));
        }
        default ->
            throw rope.invalid(
                rope.has("rope_type") ? "rope_type" : "type",
                "\"default\", \"linear\" and \"llama3\" are implemented, no other");
      }
    } catch (IllegalArgumentException e) {
      throw rope.invalid(type.equals("linear") ? FACTOR : "rope_type", e.getMessage());
    }
    requireNoOther(rope, type, keys);
    return scaling;
  }

  private static double required(JsonObject rope, String key) throws InvalidFileException {
    if (!rope.has(key)) {
      throw rope.invalid(key, "it must be a number");
    }
    return rope.number(0, key);
  }

  /** What these frequencies do not use would be ignored. */
  private static void requireNoOther(JsonObject rope, String type, List<String> keys)
      throws InvalidFileException {
    Set<String> known = new HashSet<>(List.of("type", "rope_type", THETA, WHOLE));
    known.addAll(keys);
    for (String key : rope.keys()) {
      if (rope.has(key) && !known.contains(key)) {
        throw rope.invalid(key, "rotary positions of type \"" + type + "\" have no such setting");
      }
    }
  }

  private static void requireWholeHeads(JsonObject rope) throws InvalidFileException {
    if (rope.number(1, WHOLE) != 1) {
      throw rope.invalid(WHOLE, "it must be 1 or absent");
    }
  }

  /** Writes the older form, which all versions read. */
  void write(ObjectNode config) {
    config.put(THETA, theta);
    if (scaling.equals(RopeScaling.NONE)) {
      config.putNull("rope_scaling");
      return;
    }
    ObjectNode rope = config.putObject("rope_scaling");
    if (scaling instanceof RopeScaling.Linear linear) {
      rope.put("rope_type", "linear").put(FACTOR, linear.factor());
    } else if (scaling instanceof RopeScaling.Llama3 llama3) {
      rope.put("rope_type", "llama3")
          .put(FACTOR, llama3.factor())
          .put(LOW, llama3.lowFrequency())
          .put(HIGH, llama3.highFrequency())
          .put(ORIGINAL, llama3.originalContext());
    }
  }
}
