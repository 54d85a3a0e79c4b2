package dev.spatz.training;

import dev.spatz.dataset.Sequences;
import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.Precision;
import dev.spatz.kernel.WriteMode;
import dev.spatz.optimizer.Optimizer;
import dev.spatz.transformer.DropoutSites;
import dev.spatz.transformer.Parameter;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One step: gradients of all shards, their norm, the update. What a step reads depends on the seed
 * and the number of the step alone.
 */
final class TrainingStep implements AutoCloseable {
  /** The gradients are combined, and their norm is summed, in ranges of so many elements. */
  private static final int RANGE = 1 << 17;

  /** Guards the division by the norm, as PyTorch's clip_grad_norm_ does. */
  private static final double CLIP_EPSILON = 1e-6;

  /** The random streams of a seed. */
  private static final int DATA_STREAM = 1;

  private static final int DROPOUT_STREAM = 2;

  private final Transformer transformer;
  private final Objective objective;
  private final WorkerTeam team;
  private final TrainingPlan plan;
  private final GradientTree tree;
  private final Optimizer optimizer;
  private final double[] shardLosses;
  private final double[] rangeSquares;
  private final DataOrder order;
  private final CounterRandom dropout;

  /** The sequences of the step: those of its first micro-batch, of its second, … */
  private final long[] drawn;

  private CounterRandom dropoutOfStep;
  private long counted;

  /** What came out of a step. */
  record Outcome(double loss, double gradientNorm) {
    boolean finite() {
      return Double.isFinite(loss) && Double.isFinite(gradientNorm);
    }
  }

  TrainingStep(Transformer transformer, Objective objective, WorkerTeam team, TrainingPlan plan) {
    this.transformer = transformer;
    this.objective = objective;
    this.team = team;
    this.plan = plan;
    this.tree = new GradientTree(transformer, plan.shards(), team.size());
    this.optimizer = Optimizer.of(plan.optimizer(), transformer.trained(), tree.total());
    this.shardLosses = new double[plan.shards()];
    long elements = transformer.trained().layout().elements();
    this.rangeSquares = new double[Math.toIntExact((elements + RANGE - 1) / RANGE)];
    this.drawn = new long[Math.multiplyExact(plan.batchSize(), plan.accumulation())];
    CounterRandom random = CounterRandom.of(plan.seed());
    this.order = new DataOrder(random.child(DATA_STREAM), objective.train(), drawn.length);
    this.dropout = random.child(DROPOUT_STREAM);
    this.dropoutOfStep = dropout;
    refresh();
  }

  /** To be called when the weights have changed; only bfloat16 copies of them need it. */
  void refresh() {
    if (plan.precision() != Precision.BF16) {
      return; // without a barrier
    }
    team.forEach(
        rangeSquares.length,
        (worker, range) -> transformer.refresh(worker.kernels, from(range), to(range)));
  }

  /**
   * Does step {@code step}, counted from 0. Where its outcome is not trusted, the weights stay as
   * they were.
   */
  Outcome run(long step, double learningRate, Predicate<Outcome> trusted) {
    counted = draw(step);
    dropoutOfStep = dropout.child(step);
    team.forEach(tree.tasks(), (worker, task) -> tree.run(task, worker, this::shard));
    team.forEach(
        rangeSquares.length,
        (worker, range) -> {
          tree.combine(worker.kernels, from(range), to(range));
          rangeSquares[range] =
              worker.kernels.sumOfSquares(tree.total().flat(), from(range), to(range));
        });
    Outcome outcome = new Outcome(sum(shardLosses) / counted, Math.sqrt(sum(rangeSquares)));
    if (trusted.test(outcome)) {
      update(step, learningRate, outcome.gradientNorm);
    }
    return outcome;
  }

  /** What is at fault where loss or gradient of the last step are not finite. */
  String notFinite(Outcome outcome) {
    String weights = notFinite(transformer.trained());
    if (!weights.isEmpty()) {
      return "weights " + weights;
    }
    if (!Double.isFinite(outcome.loss)) {
      return "activations, since all weights are finite";
    }
    return "gradient of " + notFinite(tree.total());
  }

  /**
   * The last parameter that is not finite, empty if all are: of gradients, the one nearest to the
   * loss, from which the others have it.
   */
  private String notFinite(ParameterSet set) {
    String[] last = {""};
    team.forEach(
        1,
        (worker, task) -> {
          for (Parameter parameter : set.layout().parameters()) {
            long end = parameter.offset() + parameter.size();
            double squares = worker.kernels.sumOfSquares(set.flat(), parameter.offset(), end);
            last[0] = Double.isFinite(squares) ? last[0] : parameter.name();
          }
        });
    return last[0];
  }

  /** Draws the sequences of a step; what is counted in them, by which its loss is divided. */
  private long draw(long step) {
    long all = 0;
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] = order.draw(step, i);
      all += objective.counted(drawn[i]);
    }
    return all;
  }

  /** The gradients of a shard of all micro-batches: the first of them overwrites what was there. */
  private void shard(WorkerTeam.Worker worker, int shard, ParameterSet gradients) {
    int from = plan.shardStart(shard);
    int count = plan.shardStart(shard + 1) - from;
    Sequences sequences = objective.train();
    WorkerTeam.Pass pass = worker.pass(sequences, count);
    double loss = 0;
    for (int micro = 0; micro < plan.accumulation(); micro++) {
      int first = micro * plan.batchSize() + from;
      pass.sample(sequences, drawn, first, count);
      DropoutSites sites = pass.workspace.dropout(dropoutOfStep, (long) first * plan.contexts());
      WriteMode mode = micro == 0 ? WriteMode.OVERWRITE : WriteMode.ADD;
      loss += objective.lossAndGradients(worker, pass, 1.0 / counted, sites, mode, gradients);
    }
    shardLosses[shard] = loss;
  }

  private void update(long step, double learningRate, double norm) {
    double clip = plan.gradientClip();
    double scale = clip > 0 ? Math.min(1, clip / (norm + CLIP_EPSILON)) : 1;
    optimizer.begin(new Optimizer.Step(step + 1, learningRate, scale));
    team.forEach(optimizer.tasks(), (worker, task) -> optimizer.update(worker.kernels, task));
    refresh();
  }

  /** What the optimizer remembers, see {@link Optimizer#state}. */
  Map<String, INDArray> optimizerState() {
    return optimizer.state();
  }

  /** Adds the weights to a sum of them. */
  void addWeights(ParameterSet sum) {
    team.forEach(
        rangeSquares.length,
        (worker, range) ->
            worker.kernels.addRange(
                sum.flat(), transformer.trained().flat(), from(range), to(range)));
  }

  private long from(int range) {
    return (long) range * RANGE;
  }

  private long to(int range) {
    return Math.min(from(range) + RANGE, transformer.trained().layout().elements());
  }

  private static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  @Override
  public void close() {
    tree.close();
    optimizer.close();
  }
}
