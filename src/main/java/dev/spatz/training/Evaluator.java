package dev.spatz.training;

import dev.spatz.dataset.Sequences;
import dev.spatz.dataset.TokenSequence;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
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
    requireMemory(transformer.config(), threads);
    try (InferenceWeights weights = transformer.inferenceWeights(backend, 1, precision);
        WorkerTeam team = new WorkerTeam(threads, transformer, backend)) {
      Measure measure = weights::loss;
      return evaluate(
          measure, windows(transformer, tokens), Long.MAX_VALUE, WINDOWS_AT_A_TIME, team);
    }
  }

  /** The same, with the model's weights as they are. */
  static Evaluation evaluate(
      Transformer transformer, TokenSequence tokens, int threads, KernelBackend backend) {
    requireTwo(tokens);
    requireMemory(transformer.config(), threads);
    try (WorkerTeam team = new WorkerTeam(threads, transformer, backend)) {
      Measure measure = transformer::loss;
      return evaluate(
          measure, windows(transformer, tokens), Long.MAX_VALUE, WINDOWS_AT_A_TIME, team);
    }
  }

  private static void requireMemory(TransformerConfig model, int threads) {
    NativeMemory.require(
        threads * Workspace.bytes(model, false, WINDOWS_AT_A_TIME, model.contextLength()),
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
      Transformer transformer, Sequences sequences, long most, int atATime, WorkerTeam team) {
    return evaluate(transformer::loss, sequences, most, atATime, team);
  }

  /** As {@link Transformer#loss}. */
  private interface Measure {
    double loss(Kernels kernels, Workspace workspace, int[] inputs, int[] targets, double[] losses);
  }

  private static Evaluation evaluate(
      Measure measure, Sequences sequences, long most, int atATime, WorkerTeam team) {
    int time = sequences.contextLength();
    long stride = Math.max(1, (sequences.allTargets() + most - 1) / most);
    int count = Math.toIntExact((sequences.count() + stride - 1) / stride);
    double[] losses = new double[count];
    int[] predicted = new int[count];
    long[] bytes = new long[count];
    team.forEach(
        (count + atATime - 1) / atATime,
        (worker, chunk) -> {
          WorkerTeam.Pass pass = worker.pass(atATime);
          int first = chunk * atATime;
          int here = Math.min(atATime, count - first);
          Arrays.fill(pass.inputs, here * time, pass.inputs.length, 0);
          Arrays.fill(pass.targets, here * time, pass.targets.length, Sequences.NO_TARGET);
          pass.layOut(sequences, here, i -> (first + i) * stride);
          for (int i = 0; i < here; i++) {
            long k = (first + i) * stride;
            predicted[first + i] = sequences.read(k, pass.inputs, pass.targets, i * time);
            bytes[first + i] = sequences.textBytes(k);
          }
          measure.loss(worker.kernels, pass.workspace, pass.inputs, pass.targets, pass.losses);
          for (int i = 0; i < here; i++) {
            losses[first + i] = Arrays.stream(pass.losses, i * time, (i + 1) * time).sum();
          }
        });
    return Evaluation.of(losses, predicted, Arrays.stream(bytes).sum());
  }
}
