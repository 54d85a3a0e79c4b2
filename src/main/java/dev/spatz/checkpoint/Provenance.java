package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.dataset.TrainingData;
import dev.spatz.training.Evaluation;
import dev.spatz.training.TrainingPlan;
import dev.spatz.training.TrainingResult;
import dev.spatz.transformer.WeightedAdapter;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a model comes from. It stands in the model card for people, and in {@code config.json}
 * under {@code spatz.provenance} for programs, so that loading and saving keeps it.
 *
 * @param dataDigest SHA-256 of the training data, 64 lower-case hexadecimal digits
 * @param dataBytes size of the training data
 * @param configuration the training's settings by name, in the order in which they are shown
 * @param seed of all random choices
 * @param trainingLoss nats per token on the training data at the end, or null if not measured
 * @param validationLoss nats per token on the validation data, or null if not measured
 * @param validationBitsPerByte the same in bits per byte of text, or null if not measured
 * @param libraryVersion version of this library that trained it
 * @param date when training ended; kept to the second
 */
public record Provenance(
    String dataDigest,
    long dataBytes,
    Map<String, String> configuration,
    long seed,
    @Nullable Double trainingLoss,
    @Nullable Double validationLoss,
    @Nullable Double validationBitsPerByte,
    String libraryVersion,
    Instant date) {
  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if the digest is not 64 lower-case hexadecimal digits, the
   *     size is negative, or a loss is not finite
   */
  public Provenance {
    if (!DIGEST.matcher(dataDigest).matches()) {
      throw new IllegalArgumentException(
          "dataDigest (" + dataDigest + ") must be 64 lower-case hexadecimal digits");
    }
    if (dataBytes < 0) {
      throw new IllegalArgumentException("dataBytes (" + dataBytes + ") must not be negative");
    }
    requireFinite("trainingLoss", trainingLoss);
    requireFinite("validationLoss", validationLoss);
    requireFinite("validationBitsPerByte", validationBitsPerByte);
    configuration = Collections.unmodifiableMap(new LinkedHashMap<>(configuration));
    date = date.truncatedTo(ChronoUnit.SECONDS);
  }

  private static void requireFinite(String name, @Nullable Double value) {
    if (value != null && !Double.isFinite(value)) {
      throw new IllegalArgumentException(
          name + " (" + value + ") must be finite, or null if it was not measured");
    }
  }

  /**
   * The provenance of a model that was trained just now.
   *
   * @param result how the training ended, or null if it did not come to its end
   * @param base what is known of the model that it began as, see {@link BaseModel}; empty for a new
   *     one
   */
  public static Provenance of(
      TrainingData data,
      TrainingPlan plan,
      @Nullable TrainingResult result,
      Map<String, String> base) {
    Map<String, String> configuration = new LinkedHashMap<>(plan.describe());
    configuration.put("training tokens", Long.toString(data.trainTokens()));
    configuration.put("validation tokens", Long.toString(data.validationTokens()));
    if (result != null) {
      configuration.put("stopped by", result.reason().toString());
      configuration.put("steps done", Long.toString(result.steps()));
      configuration.put("best step", Long.toString(result.bestStep()));
    }
    Evaluation evaluation = result == null ? null : result.evaluation();
    if (evaluation != null && evaluation.preferences() != null) {
      configuration.put("pairs of answers", evaluation.preferences().toString());
    }
    configuration.putAll(base);
    return new Provenance(
        data.digest(),
        data.textBytes(),
        configuration,
        plan.seed(),
        result == null || result.steps() == 0 ? null : result.trainingLoss(),
        evaluation == null ? null : evaluation.natsPerToken(),
        evaluation == null ? null : evaluation.bitsPerByte(),
        version(),
        Instant.now());
  }

  /** The same of a model that is still being trained, so many steps so far. */
  public Provenance after(long steps) {
    Map<String, String> now = new LinkedHashMap<>(configuration);
    now.put("stopped by", "nothing; a checkpoint");
    now.put("steps done", Long.toString(steps));
    return new Provenance(
        dataDigest, dataBytes, now, seed, null, null, null, libraryVersion, Instant.now());
  }

  /** All of it by name, for what has no place for a provenance of its own, as adapters. */
  public Map<String, String> entries() {
    Map<String, String> entries = new LinkedHashMap<>();
    entries.put("data SHA-256", dataDigest);
    entries.put("data bytes", Long.toString(dataBytes));
    putIfMeasured(entries, "training loss (nats per token)", trainingLoss);
    putIfMeasured(entries, "validation loss (nats per token)", validationLoss);
    putIfMeasured(entries, "validation loss (bits per byte)", validationBitsPerByte);
    entries.put("date", date.toString());
    entries.putAll(configuration);
    return entries;
  }

  private static void putIfMeasured(
      Map<String, String> entries, String name, @Nullable Double value) {
    if (value != null) {
      entries.put(name, value.toString());
    }
  }

  /** The provenance of a model of which this is the one, after adapters were merged into it. */
  public Provenance merged(List<WeightedAdapter> adapters) {
    Map<String, String> settings = new LinkedHashMap<>(configuration);
    for (int i = 0; i < adapters.size(); i++) {
      String prefix = "adapter " + (i + 1) + " ";
      settings.put(prefix + "weight", Double.toString(adapters.get(i).weight()));
      adapters
          .get(i)
          .adapter()
          .origin()
          .forEach((name, value) -> settings.put(prefix + name, value));
    }
    return new Provenance(
        dataDigest, dataBytes, settings, seed, null, null, null, version(), Instant.now());
  }

  /** The version of this library, from its jar. */
  static String version() {
    String version = Provenance.class.getPackage().getImplementationVersion();
    return version == null ? "unknown (not run from a jar)" : version;
  }

  static Provenance read(JsonObject json) throws InvalidFileException {
    Map<String, String> configuration = new LinkedHashMap<>();
    JsonObject settings = json.requireObject("configuration");
    for (String name : settings.keys()) {
      configuration.put(name, settings.text(name));
    }
    try {
      return new Provenance(
          json.text("data_sha256"),
          json.longInteger("data_bytes"),
          configuration,
          json.longInteger("seed"),
          number(json, "training_loss"),
          number(json, "validation_loss"),
          number(json, "validation_bits_per_byte"),
          json.text("library_version"),
          Instant.parse(json.text("date")));
    } catch (DateTimeException e) {
      throw json.invalid("date", "it must be a time such as 2026-01-31T12:00:00Z");
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(json.path(), "spatz.provenance: " + e.getMessage(), e);
    }
  }

  private static @Nullable Double number(JsonObject json, String key) throws InvalidFileException {
    return json.has(key) ? json.number(0, key) : null;
  }

  JsonNode json() {
    ObjectNode json =
        JsonObject.create()
            .put("data_sha256", dataDigest)
            .put("data_bytes", dataBytes)
            .put("seed", seed)
            .put("training_loss", trainingLoss)
            .put("validation_loss", validationLoss)
            .put("validation_bits_per_byte", validationBitsPerByte)
            .put("library_version", libraryVersion)
            .put("date", date.toString());
    configuration.forEach(json.putObject("configuration")::put);
    return json;
  }
}
