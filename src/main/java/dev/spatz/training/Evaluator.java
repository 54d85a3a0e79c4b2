package dev.spatz.training;

import dev.spatz.dataset.ExampleSet;
import dev.spatz.dataset.Sequences;
import dev.spatz.dataset.TokenSequence;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.NativeMemory;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.transformer.InferenceWeights;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import dev.spatz.transformer.Workspace;
import java.util.Arrays;
import java.util.Locale;

/**
 * Measures a model on a text: walks it in order, in windows of the context length that do not
 * overlap, every token but the first predicted once.
 */
public final class Evaluator {
  private static final int WINDOWS_AT_A_TIME = 4;

  private Evaluator() {}

  /**
   * Measures a model on all of a text.
   *
   * @param tokens at least 2
   * @param threads worker threads; the result does not depend on their number
   * @param precision of the matrices: what texts written with them are like
   * @throws IllegalArgumentException if there are fewer than 2 tokens
   * @throws IllegalStateException if the precision is not possible here
   * @throws dev.spatz.kernel.InsufficientMemoryException if there is not enough memory
   */
  public static Evaluation evaluate(
      Transformer transformer,
      TokenSequence tokens,
      int threads,
      KernelBackend backend,
      WeightPrecision precision) {
    if (precision == WeightPrecision.FLOAT32) {
      return evaluate(transformer, tokens, threads, backend);
    }
    requireTwo(tokens);
    requireMemory(transformer.config(), WINDOWS_AT_A_TIME, threads);
    try (InferenceWeights weights = transformer.inferenceWeights(backend, 1, precision);
        WorkerTeam team = new WorkerTeam(threads, transformer, backend)) {
      return evaluate(
          weights::loss, windows(transformer, tokens), Long.MAX_VALUE, WINDOWS_AT_A_TIME, team);
    }
  }

  /** The same, with the model's weights as they are. */
  static Evaluation evaluate(
      Transformer transformer, TokenSequence tokens, int threads, KernelBackend backend) {
    requireTwo(tokens);
    requireMemory(transformer.config(), WINDOWS_AT_A_TIME, threads);
    try (WorkerTeam team = new WorkerTeam(threads, transformer, backend)) {
      return evaluate(
          transformer::loss, windows(transformer, tokens), Long.MAX_VALUE, WINDOWS_AT_A_TIME, team);
    }
  }

  private static void requireMemory(TransformerConfig model, int windows, int threads) {
    NativeMemory.require(
        threads * Workspace.bytes(model, false, windows, model.contextLength()),
        "evaluating",
        String.format(Locale.ROOT, "lower threads (%d) in LoadOptions", threads));
  }

  private static Sequences windows(Transformer transformer, TokenSequence tokens) {
    return tokens.windows(transformer.config().contextLength());
  }

  private static void requireTwo(TokenSequence tokens) {
    if (tokens.length() < 2) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a text of %d tokens cannot be evaluated: the first has nothing before it",
              tokens.length()));
    }
  }

  /**
   * Measures on about {@code most} tokens: every n-th sequence.
   *
   * @param atATime sequences that a worker takes at a time
   */
  static Evaluation evaluate(
      Walk.Measure measure, Sequences sequences, long most, int atATime, WorkerTeam team) {
    Walk walk = Walk.of(measure, sequences, most, atATime, team);
    double[] losses = new double[walk.losses().length];
    int[] targets = new int[losses.length];
    long bytes = 0;
    for (int place = 0; place < losses.length; place++) {
      losses[place] = Arrays.stream(walk.losses()[place]).sum();
      targets[place] = Arrays.stream(walk.targets()[place]).sum();
      for (int example = 0; example < walk.losses()[place].length; example++) {
        bytes += sequences.textBytes(place * walk.stride(), example);
      }
    }
    return Evaluation.of(losses, targets, bytes);
  }

  /**
   * How a model judges pairs of answers, with itself as the reference, and sums of
   * log-probabilities.
   *
   * @param pairs of which the validation part is measured
   * @param threads worker threads; the result does not depend on their number
   * @throws IllegalArgumentException if there are none
   */
  public static Evaluation evaluate(
      Transformer transformer, ExampleSet pairs, int threads, KernelBackend backend) {
    Sequences sequences = pairs.validationSequences(transformer.config().contextLength());
    if (sequences.count() == 0) {
      throw new IllegalArgumentException("there are no pairs of answers to measure with");
    }
    requireMemory(transformer.config(), 2 * WINDOWS_AT_A_TIME, threads);
    PreferenceConfig sums = PreferenceConfig.defaults();
    try (WorkerTeam team = new WorkerTeam(threads, transformer, backend)) {
      Walk walk = Walk.of(transformer::loss, sequences, Long.MAX_VALUE, WINDOWS_AT_A_TIME, team);
      double[][] reference = PreferenceObjective.logProbabilities(walk, sums);
      return PreferenceObjective.evaluation(
          walk, sequences, sums, (sequence, answer) -> reference[sequence][answer]);
    }
  }
}
