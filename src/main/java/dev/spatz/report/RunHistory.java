package dev.spatz.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a metrics file tells of a run. Where a resumed run did some steps again, the later lines
 * count.
 */
final class RunHistory {
  final Map<String, String> settings = new LinkedHashMap<>();
  final List<Step> steps = new ArrayList<>();
  final List<Evaluated> evaluations = new ArrayList<>();
  final List<Fault> faults = new ArrayList<>();
  final List<Sample> samples = new ArrayList<>();
  @Nullable Ending ending;

  /** Some consecutive steps, as means, up to {@code step}. */
  record Step(
      long step,
      double loss,
      double learningRate,
      double gradientNorm,
      double tokensPerSecond,
      double seconds) {}

  /** A measurement on the validation part. */
  record Evaluated(
      long step,
      double natsPerToken,
      double bitsPerByte,
      boolean best,
      @Nullable Preferences preferences) {}

  /** Of it, how pairs of answers are judged. */
  record Preferences(double loss, double accuracy, double margin, double chosen, double rejected) {}

  /** A step that was not done as planned. */
  record Fault(long step, String action, String text) {}

  /** What the model wrote after some steps. */
  record Sample(long step, String text) {}

  /** How the run ended. */
  record Ending(String reason, long steps, double bitsPerByte, double natsPerToken) {}

  private RunHistory() {}

  static RunHistory read(Path file) throws IOException {
    RunHistory history = new RunHistory();
    MetricsFile.read(file, history::accept);
    return history;
  }

  private void accept(JsonNode line) {
    long step = line.path("step").asLong();
    switch (line.path("event").asText()) {
      case "started" -> {
        settings.clear();
        line.path("settings").properties().forEach(this::setting);
        ending = null;
      }
      case "step" -> {
        steps.removeIf(earlier -> earlier.step >= step);
        evaluations.removeIf(earlier -> earlier.step >= step);
        faults.removeIf(earlier -> earlier.step >= step);
        samples.removeIf(earlier -> earlier.step >= step);
        steps.add(
            new Step(
                step,
                line.path("loss").asDouble(),
                line.path("learning_rate").asDouble(),
                line.path("gradient_norm").asDouble(),
                line.path("tokens_per_second").asDouble(),
                line.path("seconds").asDouble()));
      }
      case "evaluation" -> {
        evaluations.removeIf(earlier -> earlier.step > step);
        evaluations.add(
            new Evaluated(
                step,
                line.path("nats_per_token").asDouble(),
                line.path("bits_per_byte").asDouble(),
                line.path("best").asBoolean(),
                line.has("pairs") ? preferences(line) : null));
      }
      case "fault" -> {
        faults.removeIf(earlier -> earlier.step >= step);
        faults.add(new Fault(step, line.path("action").asText(), line.path("text").asText()));
      }
      case "sample" -> {
        samples.removeIf(earlier -> earlier.step >= step);
        samples.add(new Sample(step, line.path("text").asText()));
      }
      case "finished" ->
          ending =
              new Ending(
                  line.path("reason").asText(),
                  line.path("steps").asLong(),
                  line.path("bits_per_byte").asDouble(),
                  line.path("nats_per_token").asDouble());
      default -> {} // of a later version
    }
  }

  private static Preferences preferences(JsonNode line) {
    return new Preferences(
        line.path("preference_loss").asDouble(),
        line.path("preference_accuracy").asDouble(),
        line.path("margin").asDouble(),
        line.path("chosen_log_probability").asDouble(),
        line.path("rejected_log_probability").asDouble());
  }

  private void setting(Map.Entry<String, JsonNode> entry) {
    settings.put(entry.getKey(), entry.getValue().asText());
  }
}
