package dev.spatz.training;

import dev.spatz.dataset.Sequences;
import dev.spatz.dataset.TokenSequence;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.transformer.Transformer;
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
   * @throws IllegalArgumentException if there are fewer than 2 tokens
   */
  public static Evaluation evaluate(
      Transformer transformer, TokenSequence tokens, int threads, KernelBackend backend) {
    if (tokens.length() < 2) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a text of %d tokens cannot be evaluated: the first has nothing before it",
              tokens.length()));
    }
    try (WorkerTeam team = new WorkerTeam(threads, transformer, backend)) {
      Sequences windows = tokens.windows(transformer.config().contextLength());
      return evaluate(transformer, windows, Long.MAX_VALUE, WINDOWS_AT_A_TIME, team);
    }
  }

  /**
   * Measures on about {@code most} tokens: every n-th sequence.
   *
   * @param atATime sequences that a worker takes at a time
   */
  static Evaluation evaluate(
      Transformer transformer, Sequences sequences, long most, int atATime, WorkerTeam team) {
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
          transformer.loss(worker.kernels, pass.workspace, pass.inputs, pass.targets, pass.losses);
          for (int i = 0; i < here; i++) {
            losses[first + i] = Arrays.stream(pass.losses, i * time, (i + 1) * time).sum();
          }
        });
    return Evaluation.of(losses, predicted, Arrays.stream(bytes).sum());
  }
}
