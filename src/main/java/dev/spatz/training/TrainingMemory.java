package dev.spatz.training;

import dev.spatz.kernel.NativeMemory;
import dev.spatz.kernel.Precision;
import dev.spatz.optimizer.Optimizer;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.Workspace;
import java.util.Locale;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The memory off the heap that a training takes, in bytes, known before it begins.
 *
 * @param weights of the model
 * @param copies of the weights in bfloat16; 0 in float32
 * @param gradients in as many buffers as the threads need
 * @param moments of the optimizer
 * @param kept weights: the best ones, and the sum of those that are averaged; and the copy that a
 *     {@link StepGuard} may roll back to, with its moments
 * @param activations of all threads, and about a quarter of that for what their kernels work in;
 *     the only part that is estimated
 */
public record TrainingMemory(
    long weights, long copies, long gradients, long moments, long kept, long activations) {
  private static final DataType FLOAT = DataType.FLOAT;

  /** What a plan for a whole model takes with so many worker threads. */
  public static TrainingMemory of(TrainingPlan plan, int threads) {
    ParameterLayout model = ParameterLayout.of(plan.model());
    return of(plan, model, model, threads);
  }

  /** What a plan for a model, or for an adapter of one, takes with so many worker threads. */
  public static TrainingMemory of(TrainingPlan plan, Transformer transformer, int threads) {
    boolean mixed = plan.precision() == Precision.BF16;
    TrainingMemory memory =
        of(plan, transformer.parameters().layout(), transformer.trained().layout(), threads);
    long matrices = transformer.frozenBytes();
    long widened = threads * transformer.widenedBytes(mixed);
    return new TrainingMemory(
        memory.weights + matrices,
        memory.copies,
        memory.gradients,
        memory.moments,
        memory.kept,
        memory.activations + widened);
  }

  /** {@code model}: all weights; {@code trained}: those of them, or of an adapter, that change. */
  private static TrainingMemory of(
      TrainingPlan plan, ParameterLayout model, ParameterLayout trained, int threads) {
    long elements = model.elements() + (trained.equals(model) ? 0 : trained.elements());
    long set = trained.elements() * FLOAT.width();
    boolean mixed = plan.precision() == Precision.BF16;
    long moments = Optimizer.bytes(plan.optimizer(), trained, FLOAT);
    boolean copied = plan.guard().action() == StepGuard.Action.ROLL_BACK;
    return new TrainingMemory(
        elements * FLOAT.width(),
        mixed ? elements * DataType.BFLOAT16.width() : 0,
        set * GradientTree.buffers(plan.shards(), threads),
        moments,
        2 * set + (copied ? set + moments : 0),
        threads * activations(plan, mixed));
  }

  /** A worker may meet shards of two sizes, and evaluates with the larger. */
  private static long activations(TrainingPlan plan, boolean mixed) {
    int smallest = plan.batchSize() / plan.shards();
    int time = plan.model().contextLength();
    return IntStream.rangeClosed(smallest, plan.largestShard())
        .map(sequences -> sequences * plan.contexts())
        .mapToLong(sequences -> Workspace.bytes(plan.model(), mixed, sequences, time))
        .map(bytes -> bytes + bytes / 4)
        .sum();
  }

  /** All of it. */
  public long total() {
    return weights + copies + gradients + moments + kept + activations;
  }

  /**
   * Makes sure that there is as much, beside the weights, which are there already.
   *
   * @throws dev.spatz.kernel.InsufficientMemoryException if there is not
   */
  void require(TrainingPlan plan, int threads) {
    String remedy =
        activations > gradients
            ? String.format(
                Locale.ROOT,
                "lower batchSize (%d) with more accumulation, contextLength (%d) or threads (%d)",
                plan.batchSize(),
                plan.model().contextLength(),
                threads)
            : String.format(Locale.ROOT, "lower threads (%d), or train a smaller model", threads);
    NativeMemory.require(total() - weights, "training (" + this + ")", remedy);
  }

  /** The total and its parts, for people. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s: weights %s, %sgradients %s, moments %s, kept weights %s, activations %s",
        NativeMemory.format(total()),
        NativeMemory.format(weights),
        copies == 0 ? "" : "bfloat16 copies " + NativeMemory.format(copies) + ", ",
        NativeMemory.format(gradients),
        NativeMemory.format(moments),
        NativeMemory.format(kept),
        NativeMemory.format(activations));
  }
}
