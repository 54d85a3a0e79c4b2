package dev.spatz.training;

import dev.spatz.dataset.Sequences;
import dev.spatz.kernel.Kernels;
import dev.spatz.transformer.Workspace;
import java.util.Arrays;

/**
 * What a model makes of every n-th sequence, example by example.
 *
 * @param stride n: the sequences are 0, n, 2·n, …
 * @param losses the sums of −ln p over each example's targets, by place in the walk and example
 * @param targets the numbers of targets, likewise
 */
record Walk(long stride, double[][] losses, int[][] targets) {

  /** As {@link dev.spatz.transformer.Transformer#loss}. */
  interface Measure {
    double loss(Kernels kernels, Workspace workspace, int[] inputs, int[] targets, double[] losses);
  }

  /**
   * Walks through about {@code most} targets.
   *
   * @param atATime sequences that a worker takes at a time
   */
  static Walk of(Measure measure, Sequences sequences, long most, int atATime, WorkerTeam team) {
    long stride = Math.max(1, (sequences.allTargets() + most - 1) / most);
    int count = Math.toIntExact((sequences.count() + stride - 1) / stride);
    Walk walk = new Walk(stride, new double[count][], new int[count][]);
    team.forEach(
        (count + atATime - 1) / atATime,
        (worker, chunk) -> {
          int first = chunk * atATime;
          int here = Math.min(atATime, count - first);
          WorkerTeam.Pass pass = worker.pass(sequences, atATime);
          pass.read(sequences, here, i -> (first + i) * stride);
          measure.loss(worker.kernels, pass.workspace, pass.inputs, pass.targets, pass.losses);
          for (int i = 0; i < here; i++) {
            walk.take(first + i, sequences, pass, i);
          }
        });
    return walk;
  }

  private void take(int place, Sequences sequences, WorkerTeam.Pass pass, int sequence) {
    long k = place * stride;
    int[] lengths = sequences.lengths(k);
    losses[place] = new double[sequences.examples(k)];
    targets[place] = new int[losses[place].length];
    int from = sequence * sequences.length();
    for (int example = 0; example < losses[place].length; example++) {
      int to = from + lengths[example];
      losses[place][example] = Arrays.stream(pass.losses, from, to).sum();
      targets[place][example] = targets(pass.targets, from, to);
      from = to;
    }
  }

  /** The number of targets in rows {@code from}…{@code to − 1}. */
  static int targets(int[] targets, int from, int to) {
    int count = 0;
    for (int row = from; row < to; row++) {
      count += targets[row] == Sequences.NO_TARGET ? 0 : 1;
    }
    return count;
  }
}
