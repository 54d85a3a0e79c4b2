package dev.spatz.training;

import dev.spatz.dataset.ExampleSet;
import dev.spatz.dataset.Sequences;
import dev.spatz.dataset.TrainingData;
import dev.spatz.kernel.WriteMode;
import dev.spatz.transformer.DropoutSites;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What training lowers: a loss of the sequences of a data set, which is a sum over what is counted
 * in them.
 */
interface Objective extends AutoCloseable {
  /**
   * The objective of a data set.
   *
   * @throws IllegalArgumentException if the plan says how to learn from pairs of answers and the
   *     data has none, or the other way round
   */
  static Objective of(Transformer transformer, TrainingData data, TrainingPlan plan) {
    PreferenceConfig preference = plan.preference();
    int time = transformer.config().contextLength();
    Sequences train = data.trainSequences(time);
    Sequences validation = data.validationSequences(time);
    boolean pairs = data instanceof ExampleSet examples && examples.preferences();
    Requirements.require(
        pairs == (preference != null),
        "preference",
        preference,
        "says how to learn from pairs of answers: for them it is needed, for other data it must"
            + " be left out");
    return preference != null
        ? new PreferenceObjective(transformer, train, validation, preference)
        : new NextTokenObjective(transformer, train, validation);
  }

  /**
   * Measures, once, what must be known of the model before its first step.
   *
   * @param atATime sequences that a worker takes at a time
   */
  default void begin(int atATime, WorkerTeam team) {}

  /**
   * What it knows since {@link #begin} and a run that goes on must be told; the objective's own.
   */
  default Map<String, INDArray> state() {
    return Map.of();
  }

  /** The sequences to train on. */
  Sequences train();

  /** What is counted in a sequence to train on: a step's loss is divided by the sum of it. */
  long counted(long sequence);

  /**
   * Forward and backward of a pass whose sequences were sampled.
   *
   * @param scale one over what is counted in the whole step
   * @param mode whether the gradients of the scaled loss overwrite those that are there, or are
   *     added
   * @return the loss of the pass, unscaled
   */
  double lossAndGradients(
      WorkerTeam.Worker worker,
      WorkerTeam.Pass pass,
      double scale,
      DropoutSites dropout,
      WriteMode mode,
      ParameterSet gradients);

  /**
   * Measures on about {@code most} targets of the validation part.
   *
   * @param atATime sequences that a worker takes at a time
   */
  Evaluation evaluate(long most, int atATime, WorkerTeam team);

  @Override
  default void close() {}
}
