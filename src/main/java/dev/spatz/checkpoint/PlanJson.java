package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.optimizer.AdamWConfig;
import dev.spatz.optimizer.LearningRateSchedule;
import dev.spatz.optimizer.LearningRateSchedule.Cosine;
import dev.spatz.optimizer.LearningRateSchedule.WarmupStableDecay;
import dev.spatz.optimizer.MuonConfig;
import dev.spatz.optimizer.OptimizerConfig;
import dev.spatz.training.PreferenceConfig;
import dev.spatz.training.StepGuard;
import dev.spatz.training.TrainingPlan;
import dev.spatz.transformer.TransformerConfig;
import java.time.Duration;
import java.time.format.DateTimeParseException;

/** A {@link TrainingPlan} ↔ JSON; the shape of its model is in {@code config.json}. */
final class PlanJson {
  private static final String KIND = "kind";
  private static final String COSINE = "cosine";
  private static final String WARMUP_STABLE_DECAY = "warmup_stable_decay";
  private static final String ADAMW = "adamw";
  private static final String MUON = "muon";

  private PlanJson() {}

  static ObjectNode write(TrainingPlan plan) {
    ObjectNode json =
        JsonObject.create()
            .put("batch_size", plan.batchSize())
            .put("accumulation", plan.accumulation())
            .put("shards", plan.shards())
            .put("steps", plan.steps())
            .put("gradient_clip", plan.gradientClip())
            .put("averaged_steps", plan.averagedSteps())
            .put("evaluation_interval", plan.evaluationInterval())
            .put("evaluation_tokens", plan.evaluationTokens())
            .put("patience", plan.patience())
            .put("time_limit", plan.timeLimit() == null ? null : plan.timeLimit().toString())
            .put("token_limit", plan.tokenLimit())
            .put("seed", plan.seed())
            .put("kernels", plan.kernels().name())
            .put("precision", plan.precision().name());
    json.set("guard", write(plan.guard()));
    json.set("schedule", write(plan.schedule()));
    json.set("optimizer", write(plan.optimizer()));
    PreferenceConfig preference = plan.preference();
    if (preference != null) {
      json.putObject("preference")
          .put("beta", preference.beta())
          .put("label_smoothing", preference.labelSmoothing())
          .put("length_normalized", preference.lengthNormalized());
    }
    return json;
  }

  static TrainingPlan read(JsonObject json, TransformerConfig model) throws InvalidFileException {
    int batchSize = positive(json, "batch_size");
    int shards = positive(json, "shards");
    if (shards > batchSize) {
      throw json.invalid("shards", "it must not exceed batch_size");
    }
    return new TrainingPlan(
        model,
        batchSize,
        positive(json, "accumulation"),
        shards,
        atLeast(1, json, "steps"),
        schedule(json.requireObject("schedule")),
        optimizer(json.requireObject("optimizer")),
        json.requireNumber("gradient_clip"),
        json.has("guard") ? guard(json.requireObject("guard")) : StepGuard.defaults(),
        atLeast(0, json, "averaged_steps"),
        atLeast(1, json, "evaluation_interval"),
        atLeast(1, json, "evaluation_tokens"),
        Math.toIntExact(Math.min(Integer.MAX_VALUE, atLeast(0, json, "patience"))),
        json.has("time_limit") ? duration(json, "time_limit") : null,
        atLeast(0, json, "token_limit"),
        json.longInteger("seed"),
        constant(KernelBackend.class, json, "kernels"),
        constant(Precision.class, json, "precision"),
        json.has("preference") ? preference(json.requireObject("preference")) : null);
  }

  private static PreferenceConfig preference(JsonObject json) throws InvalidFileException {
    return new PreferenceConfig(
        json.requireNumber("beta"),
        json.requireNumber("label_smoothing"),
        json.flag(false, "length_normalized"));
  }

  private static ObjectNode write(StepGuard guard) {
    return JsonObject.create()
        .put("action", guard.action().name())
        .put("window", guard.window())
        .put("threshold", guard.threshold())
        .put("most", guard.most());
  }

  private static StepGuard guard(JsonObject json) throws InvalidFileException {
    return new StepGuard(
        constant(StepGuard.Action.class, json, "action"),
        positive(json, "window"),
        json.requireNumber("threshold"),
        json.integer(0, "most"));
  }

  private static ObjectNode write(LearningRateSchedule schedule) {
    ObjectNode json =
        JsonObject.create()
            .put("peak", schedule.peak())
            .put("floor", schedule.floor())
            .put("warmup", schedule.warmup())
            .put("steps", schedule.steps());
    if (schedule instanceof WarmupStableDecay decaying) {
      return json.put(KIND, WARMUP_STABLE_DECAY).put("decay", decaying.decay());
    }
    return json.put(KIND, COSINE);
  }

  private static LearningRateSchedule schedule(JsonObject json) throws InvalidFileException {
    double peak = json.requireNumber("peak");
    double floor = json.requireNumber("floor");
    long warmup = json.longInteger("warmup");
    long steps = json.longInteger("steps");
    return switch (json.text(KIND)) {
      case COSINE -> new Cosine(peak, floor, warmup, steps);
      case WARMUP_STABLE_DECAY ->
          new WarmupStableDecay(peak, floor, warmup, json.longInteger("decay"), steps);
      default -> throw json.invalid(KIND, "there is no such schedule");
    };
  }

  private static ObjectNode write(OptimizerConfig optimizer) {
    if (optimizer instanceof MuonConfig muon) {
      ObjectNode json =
          JsonObject.create()
              .put(KIND, MUON)
              .put("momentum", muon.momentum())
              .put("rate_factor", muon.rateFactor())
              .put("weight_decay", muon.weightDecay());
      json.set("rest", write(muon.rest()));
      return json;
    }
    AdamWConfig adamW = (AdamWConfig) optimizer;
    return JsonObject.create()
        .put(KIND, ADAMW)
        .put("beta1", adamW.beta1())
        .put("beta2", adamW.beta2())
        .put("epsilon", adamW.epsilon())
        .put("weight_decay", adamW.weightDecay());
  }

  private static OptimizerConfig optimizer(JsonObject json) throws InvalidFileException {
    return switch (json.text(KIND)) {
      case ADAMW -> adamW(json);
      case MUON ->
          new MuonConfig(
              json.requireNumber("momentum"),
              json.requireNumber("rate_factor"),
              json.requireNumber("weight_decay"),
              adamW(json.requireObject("rest")));
      default -> throw json.invalid(KIND, "there is no such optimizer");
    };
  }

  private static AdamWConfig adamW(JsonObject json) throws InvalidFileException {
    return new AdamWConfig(
        json.requireNumber("beta1"),
        json.requireNumber("beta2"),
        json.requireNumber("epsilon"),
        json.requireNumber("weight_decay"));
  }

  static Duration duration(JsonObject json, String key) throws InvalidFileException {
    try {
      return Duration.parse(json.text(key));
    } catch (DateTimeParseException e) {
      throw json.invalid(key, "it must be a duration such as PT90S");
    }
  }

  private static <E extends Enum<E>> E constant(Class<E> type, JsonObject json, String key)
      throws InvalidFileException {
    String name = json.text(key);
    for (E constant : type.getEnumConstants()) {
      if (constant.name().equals(name)) {
        return constant;
      }
    }
    throw json.invalid(key, "it must be one of the names of " + type.getSimpleName());
  }

  private static int positive(JsonObject json, String key) throws InvalidFileException {
    int value = json.integer(0, key);
    if (value < 1) {
      throw json.invalid(key, "it must be positive");
    }
    return value;
  }

  static long atLeast(long least, JsonObject json, String key) throws InvalidFileException {
    long value = json.longInteger(key);
    if (value < least) {
      throw json.invalid(key, "it must be at least " + least);
    }
    return value;
  }
}
