package dev.spatz.report;

import dev.spatz.training.Evaluation;
import dev.spatz.training.FaultyStep;
import dev.spatz.training.PreferenceEvaluation;
import dev.spatz.training.StepReport;
import dev.spatz.training.TrainingListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import java.util.function.ToDoubleFunction;

/**
 * A training as meters of Micrometer, which whoever uses this class adds to the class path ({@code
 * io.micrometer:micrometer-core}): gauges {@code spatz.training.loss}, {@code .learning.rate},
 * {@code .gradient.norm}, {@code .tokens.per.second}, {@code .validation.loss} (nats a token) and
 * {@code .validation.bits.per.byte}, of pairs of answers {@code .preference.accuracy}; counters
 * {@code spatz.training.steps}, {@code .tokens} and {@code .faulty.steps}.
 */
public final class TrainingMeters implements TrainingListener {
  private static final String PREFIX = "spatz.training.";

  private final Counter steps;
  private final Counter tokens;
  private final Counter faultySteps;
  private long lastTokens;
  private volatile double loss = Double.NaN;
  private volatile double learningRate = Double.NaN;
  private volatile double gradientNorm = Double.NaN;
  private volatile double tokensPerSecond = Double.NaN;
  private volatile double validationLoss = Double.NaN;
  private volatile double validationBitsPerByte = Double.NaN;
  private volatile double preferenceAccuracy = Double.NaN;

  /**
   * A listener of one training that registers its meters.
   *
   * @param name the tag {@code training} of the meters, which tells several trainings apart
   */
  public TrainingMeters(MeterRegistry registry, String name) {
    Tags tags = Tags.of(Tag.of("training", name));
    steps = registry.counter(PREFIX + "steps", tags);
    tokens = registry.counter(PREFIX + "tokens", tags);
    faultySteps = registry.counter(PREFIX + "faulty.steps", tags);
    gauge(registry, "loss", tags, meters -> meters.loss);
    gauge(registry, "learning.rate", tags, meters -> meters.learningRate);
    gauge(registry, "gradient.norm", tags, meters -> meters.gradientNorm);
    gauge(registry, "tokens.per.second", tags, meters -> meters.tokensPerSecond);
    gauge(registry, "validation.loss", tags, meters -> meters.validationLoss);
    gauge(registry, "validation.bits.per.byte", tags, meters -> meters.validationBitsPerByte);
    gauge(registry, "preference.accuracy", tags, meters -> meters.preferenceAccuracy);
  }

  /** Kept by the registry, so that the last values stay readable. */
  private void gauge(
      MeterRegistry registry, String name, Tags tags, ToDoubleFunction<TrainingMeters> value) {
    Gauge.builder(PREFIX + name, this, value).tags(tags).strongReference(true).register(registry);
  }

  @Override
  public void stepDone(StepReport report) {
    steps.increment();
    tokens.increment(report.tokens() - lastTokens);
    lastTokens = report.tokens();
    loss = report.loss();
    learningRate = report.learningRate();
    gradientNorm = report.gradientNorm();
    tokensPerSecond = report.tokensPerSecond();
  }

  @Override
  public void stepFaulty(FaultyStep fault) {
    faultySteps.increment();
  }

  @Override
  public void evaluated(long step, Evaluation evaluation, boolean best) {
    validationLoss = evaluation.natsPerToken();
    validationBitsPerByte = evaluation.bitsPerByte();
    PreferenceEvaluation pairs = evaluation.preferences();
    preferenceAccuracy = pairs == null ? Double.NaN : pairs.accuracy();
  }
}
