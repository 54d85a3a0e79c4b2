package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.Evaluation;
import dev.spatz.training.PreferenceEvaluation;
import dev.spatz.training.TrainingProgress;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code trainer_state.json}: what a run was told and how far it has come, all but its arrays.
 *
 * @param settings the run's
 * @param progress at this checkpoint
 */
record TrainerStateFile(RunSettings settings, TrainingProgress progress) {
  static final String NAME = "trainer_state.json";

  private static final String VERSION = "format";
  private static final int CURRENT_VERSION = 1;

  /** Writes the file of a checkpoint. */
  void write(Path directory) throws IOException {
    CheckpointConfig checkpoints = settings.checkpoints();
    ObjectNode json =
        JsonObject.create()
            .put(VERSION, CURRENT_VERSION)
            .put("library_version", settings.libraryVersion())
            .put("instruction_set", settings.instructionSet())
            .put("tokens_sha256", settings.tokensDigest())
            .put("threads", settings.threads());
    json.set("progress", progressJson());
    json.set("plan", PlanJson.write(settings.plan()));
    json.putObject("checkpoints")
        .put("every_steps", checkpoints.everySteps())
        .put("every", checkpoints.every() == null ? null : checkpoints.every().toString())
        .put("keep", checkpoints.keep());
    settings.base().forEach(json.putObject("base")::put);
    JsonObject.write(directory.resolve(NAME), json);
  }

  private ObjectNode progressJson() {
    ObjectNode json =
        JsonObject.create()
            .put("step", progress.step())
            .put("averaged", progress.averaged())
            .put("best_step", progress.bestStep())
            .put("evaluations_without_improvement", progress.evaluationsWithoutImprovement())
            .put("elapsed", progress.elapsed().toString());
    ArrayNode losses = json.putArray("recent_losses");
    progress.recentLosses().forEach(losses::add);
    ArrayNode faults = json.putArray("recent_faults");
    progress.recentFaults().forEach(faults::add);
    json.put("faulty_steps", progress.faultySteps()).put("snapshot", progress.snapshot());
    json.set("best_evaluation", evaluationJson(progress.bestEvaluation()));
    return json;
  }

  private static ObjectNode evaluationJson(Evaluation evaluation) {
    ObjectNode json =
        JsonObject.create()
            .put("tokens", evaluation.tokens())
            .put("text_bytes", evaluation.textBytes())
            .put("nats_per_token", text(evaluation.natsPerToken()))
            .put("margin", text(evaluation.margin()));
    PreferenceEvaluation pairs = evaluation.preferences();
    if (pairs != null) {
      json.putObject("preferences")
          .put("pairs", pairs.pairs())
          .put("preferred", pairs.preferred())
          .put("improved", pairs.improved())
          .put("loss", text(pairs.loss()))
          .put("margin", text(pairs.margin()))
          .put("chosen", text(pairs.chosen()))
          .put("rejected", text(pairs.rejected()));
    }
    return json;
  }

  /**
   * Reads the file of a checkpoint.
   *
   * @param model shape of the checkpoint's model
   */
  static TrainerStateFile read(Path checkpoint, Path run, TransformerConfig model)
      throws IOException {
    JsonObject json = JsonObject.read(checkpoint.resolve(NAME), JsonObject.SETTINGS_BYTES);
    if (json.integer(0, VERSION) != CURRENT_VERSION) {
      throw json.invalid(VERSION, "another version of this library wrote it; use that one");
    }
    try {
      JsonObject checkpoints = json.requireObject("checkpoints");
      CheckpointConfig config =
          new CheckpointConfig(
              run,
              checkpoints.longInteger("every_steps"),
              checkpoints.has("every") ? PlanJson.duration(checkpoints, "every") : null,
              checkpoints.integer(0, "keep"));
      Map<String, String> base = new LinkedHashMap<>();
      JsonObject known = json.requireObject("base");
      for (String name : known.keys()) {
        base.put(name, known.text(name));
      }
      RunSettings settings =
          new RunSettings(
              PlanJson.read(json.requireObject("plan"), model),
              json.text("instruction_set"),
              json.text("tokens_sha256"),
              base,
              config,
              json.integer(0, "threads"),
              json.text("library_version"));
      return new TrainerStateFile(settings, progress(json.requireObject("progress")));
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(json.path(), e.getMessage(), e);
    }
  }

  private static TrainingProgress progress(JsonObject json) throws InvalidFileException {
    List<Double> losses = new ArrayList<>();
    for (JsonNode loss : json.requireArray("recent_losses")) {
      if (!loss.isNumber()) {
        throw json.invalid("recent_losses", "it must have numbers only");
      }
      losses.add(loss.doubleValue());
    }
    List<Long> faults = new ArrayList<>();
    for (JsonNode fault :
        json.has("recent_faults") ? json.requireArray("recent_faults") : List.<JsonNode>of()) {
      if (!fault.canConvertToLong()) {
        throw json.invalid("recent_faults", "it must have steps only");
      }
      faults.add(fault.longValue());
    }
    return new TrainingProgress(
        PlanJson.atLeast(0, json, "step"),
        PlanJson.atLeast(0, json, "averaged"),
        PlanJson.atLeast(0, json, "best_step"),
        evaluation(json.requireObject("best_evaluation")),
        json.integer(0, "evaluations_without_improvement"),
        losses,
        faults,
        json.has("faulty_steps") ? PlanJson.atLeast(0, json, "faulty_steps") : 0,
        json.flag(false, "snapshot"),
        PlanJson.duration(json, "elapsed"));
  }

  private static Evaluation evaluation(JsonObject json) throws InvalidFileException {
    return new Evaluation(
        json.longInteger("tokens"),
        json.longInteger("text_bytes"),
        number(json, "nats_per_token"),
        number(json, "margin"),
        json.has("preferences") ? preferences(json.requireObject("preferences")) : null);
  }

  private static PreferenceEvaluation preferences(JsonObject json) throws InvalidFileException {
    return new PreferenceEvaluation(
        PlanJson.atLeast(1, json, "pairs"),
        PlanJson.atLeast(0, json, "preferred"),
        PlanJson.atLeast(0, json, "improved"),
        number(json, "loss"),
        number(json, "margin"),
        number(json, "chosen"),
        number(json, "rejected"));
  }

  /** Not as numbers of JSON, which has no infinity and no NaN. */
  private static String text(double value) {
    return Double.toString(value);
  }

  private static double number(JsonObject json, String key) throws InvalidFileException {
    try {
      return Double.parseDouble(json.text(key));
    } catch (NumberFormatException e) {
      throw json.invalid(key, "it must be a number");
    }
  }
}
