package dev.spatz.bench;

import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.TokenizerLearning;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.Automatic;
import dev.spatz.training.Cancellation;
import dev.spatz.training.StepReport;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.Trainer;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.StatUtils;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What each choice of the default recipe buys at equal time: how many steps of each variant fit
 * into it is measured first, in rounds, so that a disturbance meets all of them; then each is
 * trained for so many steps with some seeds. The trainings themselves may be disturbed, stopped and
 * gone on with: their results depend on steps and seeds alone.
 */
public final class RecipeBenchmark {
  private static final double CONFIDENCE = 0.95;
  private static final int ROUNDS = 3;
  private static final int WARM_UP = 4;
  private static final int TIMED_STEPS = 12;
  private static final double MILLIS = 1e3;

  private final Dataset data;
  private final TrainingConfig defaults;
  private final RecipeRecord record;
  private final KernelBackend kernels = KernelBackend.choose();

  private RecipeBenchmark(Dataset data, TrainingConfig defaults, RecipeRecord record) {
    this.data = data;
    this.defaults = defaults;
    this.record = record;
  }

  /**
   * Measures and trains.
   *
   * @param tokenizer kind of tokenizer
   * @param validation part of the corpus to measure with, its last
   * @param time of each training, its evaluations not counted
   * @param seeds trainings of each variant; 0: only the steps are measured
   * @param kept file in which steps and losses are kept: what is there already is not done again;
   *     or null
   * @param report receives a line at a time
   * @throws IOException if the corpus or the file cannot be read or written
   */
  public static void run(
      Corpus corpus,
      TokenizerKind tokenizer,
      double validation,
      Duration time,
      int seeds,
      @Nullable Path kept,
      Consumer<String> report)
      throws IOException {
    Tokenizer learned =
        tokenizer == TokenizerKind.CHARACTER
            ? TokenizerLearning.characters(corpus)
            : TokenizerLearning.bytePair(corpus, Automatic::vocabularySize);
    DatasetOptions options = DatasetOptions.defaults().withValidationFraction(validation);
    try (Dataset data = Dataset.prepare(corpus, learned, options)) {
      TransformerConfig model = Automatic.model(learned.vocabularySize(), 0);
      TrainingConfig defaults =
          TrainingConfig.defaults()
              .withModel(model)
              .withBatchSize(Automatic.batchSize(model)); // so that variants can halve it
      run(data, defaults, time, seeds, kept, report);
    }
  }

  /** The same of a data set, where the defaults are others; model and batch are decided. */
  static void run(
      Dataset data,
      TrainingConfig defaults,
      Duration time,
      int seeds,
      @Nullable Path kept,
      Consumer<String> report)
      throws IOException {
    RecipeBenchmark benchmark = new RecipeBenchmark(data, defaults, new RecipeRecord(kept));
    benchmark.measureSteps(time, report);
    benchmark.train(seeds, report);
    benchmark.compare(seeds, report);
  }

  private void measureSteps(Duration time, Consumer<String> report) throws IOException {
    Map<RecipeVariant, List<Double>> seconds = new EnumMap<>(RecipeVariant.class);
    for (int round = 0; round <= ROUNDS; round++) {
      for (RecipeVariant variant : RecipeVariant.values()) {
        if (record.steps(variant) == null && variant.timedAs() == variant) {
          List<Double> measured = seconds(variant);
          if (round > 0) { // before, the JIT compiler is at work
            seconds.computeIfAbsent(variant, any -> new ArrayList<>()).addAll(measured);
          }
        }
      }
    }
    for (RecipeVariant variant : RecipeVariant.values()) {
      List<Double> measured = seconds.get(variant.timedAs());
      if (record.steps(variant) == null && measured != null) {
        double[] all = measured.stream().mapToDouble(Double::doubleValue).toArray();
        double median = Measurement.median(all);
        record.keepSteps(variant, Math.max(1, Math.round(time.toNanos() / 1e9 / median)));
        report.accept(
            Measurement.format(
                "%-14s %8.2f ms/step, min %8.2f",
                variant, median * MILLIS, Measurement.least(all) * MILLIS));
      }
    }
  }

  private List<Double> seconds(RecipeVariant variant) {
    int steps = WARM_UP + TIMED_STEPS;
    TrainingConfig config =
        variant
            .applyTo(defaults)
            .withSteps(steps)
            .withEvaluationInterval(steps)
            .withEvaluationTokens(1);
    List<Double> elapsed = new ArrayList<>();
    Cancellation enough = new Cancellation(); // before the whole validation part is measured
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void stepDone(StepReport step) {
            elapsed.add(step.elapsed().toNanos() / 1e9);
            if (step.step() == steps - 1) {
              enough.cancel();
            }
          }
        };
    try (Transformer model = Transformer.initialized(config.model(), DataType.FLOAT, 1);
        Trainer trainer = Trainer.create(model, data, config, kernels)) {
      trainer.run(listener, enough);
    }
    List<Double> seconds = new ArrayList<>();
    for (int i = WARM_UP; i < elapsed.size(); i++) {
      seconds.add(elapsed.get(i) - elapsed.get(i - 1));
    }
    return seconds;
  }

  private void train(int seeds, Consumer<String> report) throws IOException {
    for (long seed = 1; seed <= seeds; seed++) {
      for (RecipeVariant variant : RecipeVariant.values()) {
        if (!record.has(variant, seed)) {
          double loss = loss(variant, seed);
          record.keepLoss(variant, seed, loss);
          report.accept(
              Measurement.format(
                  "%-14s %,8d steps, seed %d: %.4f bits/byte",
                  variant, record.steps(variant), seed, loss));
        }
      }
    }
  }

  private double loss(RecipeVariant variant, long seed) {
    TrainingConfig config =
        variant.applyTo(defaults).withSteps(record.steps(variant)).withSeed(seed);
    try (Transformer model = Transformer.initialized(config.model(), DataType.FLOAT, seed)) {
      variant.initialize(model);
      try (Trainer trainer = Trainer.create(model, data, config, kernels)) {
        return trainer.run(TrainingListener.NONE, new Cancellation()).evaluation().bitsPerByte();
      }
    }
  }

  private void compare(int seeds, Consumer<String> report) {
    for (RecipeVariant variant : RecipeVariant.values()) {
      if (seeds > 0) {
        String line =
            Measurement.format(
                "%-14s %,8d steps: %s bits/byte",
                variant, record.steps(variant), interval(record.losses(variant, null, seeds)));
        if (variant != RecipeVariant.DEFAULTS) {
          double[] differences = record.losses(variant, RecipeVariant.DEFAULTS, seeds);
          line += ", more than the defaults: " + interval(differences);
        }
        report.accept(line);
      }
    }
  }

  /** Mean and 95 % confidence interval (Student's t). */
  private static String interval(double[] values) {
    double mean = StatUtils.mean(values);
    if (values.length < 2) {
      return Measurement.format("%.4f", mean);
    }
    double quantile =
        new TDistribution(null, values.length - 1.0)
            .inverseCumulativeProbability((1 + CONFIDENCE) / 2);
    double margin = quantile * Math.sqrt(StatUtils.variance(values) / values.length);
    return Measurement.format("%.4f ± %.4f", mean, margin);
  }
}
