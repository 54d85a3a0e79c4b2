package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.LoraModule;
import dev.spatz.transformer.LoraTarget;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * {@code adapter_config.json}: what an adapter changes, in the keys of Hugging Face's PEFT. What is
 * not implemented is refused by key and value.
 *
 * @param lora rank, scale and targets
 * @param modules the matrices that it changes
 */
record AdapterConfigFile(LoraConfig lora, List<LoraModule> modules) {
  static final String NAME = "adapter_config.json";

  private static final String TARGETS = "target_modules";
  private static final String ALL_LINEAR = "all-linear";
  private static final String START = "init_lora_weights";

  /**
   * Of how it was made, or where the base lies; or, as fan_in_fan_out, how PEFT stores the base.
   */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of(
          "base_model_name_or_path",
          "revision",
          "auto_mapping",
          "inference_mode",
          "peft_version",
          "fan_in_fan_out",
          "megatron_core",
          "qalora_group_size",
          "eva_config");

  /** Ways to begin that leave the base as it is. */
  private static final Set<String> STARTS =
      Set.of("true", "false", "gaussian", "eva", "orthogonal");

  /** The longest rows of A and B together that a Java array holds. */
  private static final long MOST_ELEMENTS = Integer.MAX_VALUE - 8;

  /** Reads the file of a directory, for a model. */
  static AdapterConfigFile read(Path directory, TransformerConfig model) throws IOException {
    JsonObject json = JsonObject.read(directory.resolve(NAME), JsonObject.SETTINGS_BYTES);
    requireText(json, "peft_type", "LORA");
    if (json.has("task_type")) {
      requireText(json, "task_type", "CAUSAL_LM");
    }
    if (json.has("bias")) {
      requireText(json, "bias", "none");
    }
    requireHarmlessStart(json);
    double alpha = json.requireNumber("lora_alpha");
    double dropout = json.number(0, "lora_dropout");
    boolean rankStabilized = json.flag(false, "use_rslora");
    int rank = json.integer(0, "r");
    List<LoraModule> modules = modules(json, model);
    for (LoraModule module : modules) {
      if (rank < 1 || (long) rank * Math.max(module.inputs(), module.outputs()) > MOST_ELEMENTS) {
        throw json.invalid("r", "it must be at least 1, and fit the matrices of the model");
      }
    }
    requireNothingElse(json);
    Set<LoraTarget> targets = EnumSet.noneOf(LoraTarget.class);
    modules.forEach(module -> targets.add(module.target()));
    try {
      return new AdapterConfigFile(
          new LoraConfig(rank, alpha, dropout, targets, rankStabilized), modules);
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(json.path(), e.getMessage(), e);
    }
  }

  private static void requireText(JsonObject json, String key, String value)
      throws InvalidFileException {
    if (!json.text("", key).equals(value)) {
      throw json.invalid(key, "\"" + value + "\" is implemented, no other");
    }
  }

  /** PiSSA, OLoRA and their kin take something out of the base's weights first. */
  private static void requireHarmlessStart(JsonObject json) throws InvalidFileException {
    JsonNode start = json.find(START);
    if (start != null && !STARTS.contains(start.asText())) {
      throw json.invalid(START, "this changes the base model's weights, and is not implemented");
    }
  }

  private static void requireNothingElse(JsonObject json) throws InvalidFileException {
    Set<String> known = new HashSet<>(WITHOUT_EFFECT);
    known.addAll(
        List.of("peft_type", "task_type", "bias", "lora_alpha", "lora_dropout", "use_rslora"));
    known.addAll(List.of("r", TARGETS, START));
    for (String key : json.keys()) {
      JsonNode value = json.find(key);
      boolean off =
          value == null
              || value.isBoolean() && !value.booleanValue()
              || value.isContainerNode() && value.isEmpty()
              || value.isTextual() && value.textValue().isEmpty();
      if (!known.contains(key) && !off) {
        throw json.invalid(key, "this is not implemented; it must be null, false, empty or absent");
      }
    }
  }

  /** A module is meant by its whole name, or by the end of it after a dot. */
  private static List<LoraModule> modules(JsonObject json, TransformerConfig model)
      throws InvalidFileException {
    ModelFormat format = ModelFormat.of(model.architecture());
    List<LoraModule> all = LoraModule.of(model);
    JsonNode targets = json.find(TARGETS);
    if (targets != null && targets.isTextual() && targets.textValue().equals(ALL_LINEAR)) {
      return all;
    }
    if (targets == null || !targets.isArray() || targets.isEmpty()) {
      throw json.invalid(
          TARGETS,
          "it must be a list of names, or \"all-linear\"; a regular expression is not implemented");
    }
    Set<LoraModule> meant = new HashSet<>();
    for (JsonNode target : targets) {
      List<LoraModule> found =
          all.stream().filter(each -> means(target.asText(), format.module(each))).toList();
      if (found.isEmpty()) {
        throw json.invalid(
            TARGETS,
            target
                + " is none of the matrices of this model's blocks that adapters can change: "
                + String.join(", ", shortNames(format, all)));
      }
      meant.addAll(found);
    }
    return all.stream().filter(meant::contains).toList();
  }

  private static boolean means(String target, String module) {
    return module.equals(target) || module.endsWith("." + target);
  }

  /** Writes the file of a directory. */
  static void write(Path directory, LoraAdapter adapter, TransformerConfig model)
      throws IOException {
    LoraConfig lora = adapter.config();
    ObjectNode json =
        JsonObject.create()
            .put("peft_type", "LORA")
            .put("task_type", "CAUSAL_LM")
            .putNull("base_model_name_or_path")
            .put("r", lora.rank())
            .put("lora_alpha", lora.alpha())
            .put("lora_dropout", lora.dropout())
            .put("use_rslora", lora.rankStabilized())
            .put("bias", "none")
            .put("fan_in_fan_out", model.architecture() == Architecture.GPT2)
            .putNull("modules_to_save")
            .put(START, true)
            .put("inference_mode", true);
    if (lora.alpha() == Math.rint(lora.alpha()) && lora.alpha() <= Integer.MAX_VALUE) {
      json.put("lora_alpha", (int) lora.alpha());
    }
    names(ModelFormat.of(model.architecture()), adapter.modules(), LoraModule.of(model))
        .forEach(json.putArray(TARGETS)::add);
    JsonObject.write(directory.resolve(NAME), json);
  }

  /** The shortest names that mean these modules and no others. */
  private static List<String> names(
      ModelFormat format, List<LoraModule> modules, List<LoraModule> all) {
    List<String> names = new ArrayList<>(shortNames(format, modules));
    if (means(format, names, all).equals(Set.copyOf(modules))) {
      return names;
    }
    names =
        modules.stream().map(format::module).map(AdapterConfigFile::inLayer).distinct().toList();
    return means(format, names, all).equals(Set.copyOf(modules))
        ? names
        : modules.stream().map(format::module).toList();
  }

  private static Set<LoraModule> means(
      ModelFormat format, List<String> names, List<LoraModule> all) {
    Set<LoraModule> meant = new HashSet<>();
    for (LoraModule module : all) {
      if (names.stream().anyMatch(name -> means(name, format.module(module)))) {
        meant.add(module);
      }
    }
    return meant;
  }

  /** Such as {@code q_proj}. */
  private static Set<String> shortNames(ModelFormat format, List<LoraModule> modules) {
    Set<String> names = new TreeSet<>();
    modules.forEach(each -> names.add(format.module(each).replaceFirst(".*\\.", "")));
    return names;
  }

  /** Such as {@code attn.c_proj}. */
  private static String inLayer(String module) {
    return module.replaceFirst(".*\\.(\\w+\\.\\w+)$", "$1");
  }
}
