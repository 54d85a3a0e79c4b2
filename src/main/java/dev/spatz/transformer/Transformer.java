// Over 400 lines: what can be made of a model, mostly documentation.
package dev.spatz.transformer;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.RoundedMatrix;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.kernel.WriteMode;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A decoder-only transformer: its shape, its weights, and what can be made of them. What a pass
 * over the weights computes is in {@link Passes}; it only reads them, so many threads may run
 * passes at once, each with its own kernels and workspace.
 */
public final class Transformer implements AutoCloseable {
  private final TransformerConfig config;
  private final ParameterSet parameters;
  private final ParameterSet matrices;
  private final @Nullable TrainedAdapter adapter;
  private final @Nullable FrozenMatrices frozen;
  private final List<Runnable> owned;
  private final Weights weights;
  private final Passes passes;

  /** Reads matrices from somewhere, such as a file. */
  public interface MatrixSource {
    /** Reads the matrix that a parameter is into an array of its shape. */
    void read(String parameter, INDArray into) throws IOException;
  }

  private Transformer(TransformerConfig config, ParameterSet parameters) {
    this(config, parameters, parameters, null, null, List.of(parameters::close));
  }

  /**
   * Passes read their matrices from {@code matrices}, or from {@code frozen} those that are there;
   * {@code owned} is what closes with the model.
   */
  private Transformer(
      TransformerConfig config,
      ParameterSet parameters,
      ParameterSet matrices,
      @Nullable TrainedAdapter adapter,
      @Nullable FrozenMatrices frozen,
      List<Runnable> owned) {
    this.config = config;
    this.parameters = parameters;
    this.matrices = matrices;
    this.adapter = adapter;
    this.frozen = frozen;
    this.owned = owned;
    this.weights = Weights.of(parameters, matrices, config);
    this.passes = new Passes(config, parameters);
  }

  /** A model whose weights are all zero, to be filled from a file; the caller closes it. */
  public static Transformer zeros(TransformerConfig config, DataType type) {
    return new Transformer(config, ParameterSet.weights(config, type));
  }

  /**
   * A model that stays as it is: the matrices of its blocks are rounded and widened again wherever
   * they are used. All its other {@link #parameters} are zero, to be filled. It can be decoded with
   * {@link #inferenceWeights}, and adapters of it can be trained; what needs its weights in float32
   * is refused. The caller closes it.
   *
   * @param precision of the matrices, not float32
   * @param type of the other weights and of activations
   * @param source is asked for each matrix once
   */
  public static Transformer frozen(
      TransformerConfig config, DataType type, WeightPrecision precision, MatrixSource source)
      throws IOException {
    ParameterSet rest = ParameterSet.weights(config, ParameterLayout.withoutMaps(config), type);
    try {
      FrozenMatrices frozen = FrozenMatrices.read(config, precision, source);
      return new Transformer(config, rest, rest, null, frozen, List.of(rest::close, frozen::close));
    } catch (Throwable e) {
      rest.close();
      throw e;
    }
  }

  /** A model with random weights of a seed, see {@link Initialization}; the caller closes it. */
  public static Transformer initialized(TransformerConfig config, DataType type, long seed) {
    Transformer transformer = zeros(config, type);
    Initialization.fill(transformer.parameters, config, seed);
    return transformer;
  }

  /**
   * The same model, its weights frozen, with a new low-rank adapter to be trained, which changes
   * nothing yet. It owns the adapter alone, and is closed before this one.
   *
   * @param dropout of the model while the adapter is trained
   * @param seed of the adapter's first weights
   * @throws IllegalArgumentException if the model has not all of the adapter's targets
   */
  public Transformer adapted(LoraConfig lora, double dropout, long seed) {
    return adapted(TrainedAdapter.initialized(lora, config, dataType(), seed), dropout);
  }

  /**
   * The same model, its weights frozen, with an adapter to be trained on; otherwise as {@link
   * #adapted(LoraConfig, double, long)}.
   *
   * @throws IllegalArgumentException if the adapter is for a model of another shape
   */
  public Transformer adapted(LoraAdapter adapted, double dropout) {
    adapted.requireFits(config);
    return adapted(TrainedAdapter.of(adapted, dataType()), dropout);
  }

  private Transformer adapted(TrainedAdapter trained, double dropout) {
    return new Transformer(
        config.withDropout(dropout),
        parameters,
        matrices,
        trained,
        frozen,
        List.of(trained.parameters()::close));
  }

  /**
   * The same model, with the same weights, for training in mixed precision: its passes read
   * bfloat16 copies of the matrices, see {@link #refresh}; those beside an adapter are rounded
   * here, but of a {@link #frozen} model there are no copies. It is closed before this one.
   */
  public Transformer mixed(KernelBackend backend) {
    ParameterSet copies = ParameterSet.zeros(parameters.layout(), DataType.BFLOAT16);
    if (adapter == null) {
      requireWhole();
      return new Transformer(config, parameters, copies, null, null, List.of(copies::close));
    }
    try (Kernels kernels = backend.create()) {
      kernels.toBf16(parameters.flat(), copies.flat(), 0, parameters.layout().elements());
    }
    TrainedAdapter rounded = adapter.mixed();
    return new Transformer(
        config,
        parameters,
        copies,
        rounded,
        frozen,
        List.of(copies::close, rounded.matrices()::close));
  }

  /**
   * Rounds {@link #trained} weights {@code from}…{@code to − 1} of a {@link #mixed} model anew:
   * they have changed.
   */
  public void refresh(Kernels kernels, long from, long to) {
    ParameterSet copies = adapter == null ? matrices : adapter.matrices();
    if (copies != trained()) {
      kernels.toBf16(trained().flat(), copies.flat(), from, to);
    }
  }

  /**
   * What training changes: the adapter's weights of an {@link #adapted} model, or else the model's
   * own. Gradients have its layout.
   */
  public ParameterSet trained() {
    return adapter == null ? parameters : adapter.parameters();
  }

  /**
   * The adapter of an {@link #adapted} model as it is now.
   *
   * @param origin see {@link LoraAdapter#origin}
   * @throws IllegalStateException if the model has none
   */
  public LoraAdapter adapter(Map<String, String> origin) {
    if (adapter == null) {
      throw new IllegalStateException("the model has no adapter in training");
    }
    return LoraAdapter.of(adapter.config(), adapter.modules(), adapter.parameters(), origin);
  }

  /**
   * A new model of the weights W + Σ weight·scale·B·A, which needs no adapters any more; the caller
   * closes it.
   *
   * @throws IllegalArgumentException if an adapter is for a model of another shape
   */
  public Transformer merged(Kernels kernels, List<WeightedAdapter> adapters) {
    requireWhole();
    adapters.forEach(each -> each.adapter().requireFits(config));
    Transformer copy = zeros(config, dataType());
    copy.parameters.copyFrom(parameters);
    for (WeightedAdapter each : adapters) {
      AdapterMerging.add(kernels, each, copy.parameters);
    }
    return copy;
  }

  /** The model's shape. */
  public TransformerConfig config() {
    return config;
  }

  /**
   * Makes sure that all weights are there as they are, see {@link #frozen}.
   *
   * @throws IllegalStateException if some are rounded
   */
  public void requireWhole() {
    if (frozen != null) {
      throw new IllegalStateException(
          "the model is frozen: its weights are rounded; load it without withFrozen to save,"
              + " export, merge or train it");
    }
  }

  /**
   * Reads a parameter into an array of its shape, as passes read it: rounded, if it is frozen.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  public void read(String parameter, INDArray into) {
    RoundedMatrix rounded = frozen == null ? null : frozen.find(parameter);
    if (rounded == null) {
      Tensors.copy(parameters.get(parameter), into);
    } else {
      rounded.copyTo(into);
    }
  }

  /** The matrix that a parameter of a frozen model is; there must be one. */
  RoundedMatrix rounded(String parameter) {
    RoundedMatrix rounded = frozen == null ? null : frozen.find(parameter);
    if (rounded == null) {
      throw new IllegalArgumentException("no frozen matrix is named " + parameter);
    }
    return rounded;
  }

  /** The weights; they belong to this model. Those of frozen matrices are not among them. */
  public ParameterSet parameters() {
    return parameters;
  }

  /**
   * Data type of weights and activations.
   *
   * @throws IllegalStateException if the model is closed, as every method that needs its weights
   */
  public DataType dataType() {
    return parameters.flat().dataType();
  }

  /**
   * Memory for passes over {@code sequences} sequences of {@code time} positions; the caller closes
   * it.
   *
   * @throws IllegalArgumentException if {@code time} exceeds the context length
   */
  public Workspace workspace(int sequences, int time) {
    if (time > config.contextLength()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "sequences of %d positions exceed the contextLength (%d)",
              time,
              config.contextLength()));
    }
    DataType operands = matrices.flat().dataType();
    Workspace workspace = new Workspace(config, dataType(), operands, sequences, time);
    if (frozen != null) {
      workspace.widen(new WidenedMaps(weights, frozen, operands));
    }
    if (adapter != null) {
      Weights used = workspace.weights(weights);
      workspace.adapt(new LowRankPass(used, adapter, workspace.rows(), time, operands));
    }
    return workspace;
  }

  /** Bytes off the heap of the weights, and of what rotary positions need; it must be open. */
  public long bytes() {
    return matrices.bytes() + frozenBytes() + RotaryTable.bytes(config, dataType());
  }

  /** Bytes off the heap of frozen matrices. */
  public long frozenBytes() {
    return frozen == null ? 0 : frozen.bytes();
  }

  /** Bytes off the heap that a workspace of a frozen model takes beside its activations. */
  public long widenedBytes(boolean mixed) {
    return frozen == null
        ? 0
        : frozen.largest() * (mixed ? DataType.BFLOAT16.width() : dataType().width());
  }

  /** A new, empty sequence to decode; the caller closes it. */
  public KeyValueCache cache() {
    return cache(config.contextLength());
  }

  /** The same, for at most so many tokens. */
  public KeyValueCache cache(int mostTokens) {
    return new KeyValueCache(config, dataType(), mostTokens);
  }

  /** The most bytes that a {@link #cache(int)} of so many tokens takes, off the heap. */
  public long cacheBytes(int tokens) {
    return KeyValueCache.bytes(config, dataType(), tokens);
  }

  /** Memory for decoding sequences; the caller closes it. */
  public Decoder decoder() {
    return new Decoder(this, null);
  }

  /** Memory for decoding sequences with packed weights of this model; the caller closes it. */
  public Decoder decoder(InferenceWeights weights) {
    return new Decoder(this, weights);
  }

  /**
   * Packs the weights for decoding; the caller closes them.
   *
   * @param backend whose kernels will decode
   * @param threads that read the weights together, the decoding one among them
   * @param precision of the packed matrices
   * @throws IllegalArgumentException if {@code threads} is less than 1
   * @throws IllegalStateException if the precision is not possible here
   */
  public InferenceWeights inferenceWeights(
      KernelBackend backend, int threads, WeightPrecision precision) {
    return new InferenceWeights(this, backend, threads, precision);
  }

  /**
   * Packs adapters for decoding; the caller closes them.
   *
   * @param adapters whose updates are added up
   * @throws IllegalArgumentException if one is for a model of another shape
   */
  public InferenceAdapter inferenceAdapter(KernelBackend backend, List<WeightedAdapter> adapters) {
    return new InferenceAdapter(this, backend, adapters);
  }

  /**
   * Forward and backward: the gradients of {@code scale} times the sum of the losses.
   *
   * @param workspace made by this model
   * @param inputs token ids (R), sequence by sequence
   * @param targets the ids to predict (R); a negative one is not counted
   * @param scale one over the number of counted tokens of the whole step
   * @param mode what happens to the gradients that are there: the first pass of a step overwrites
   *     them
   * @param gradients a set of the layout of what is {@link #trained}
   * @return the sum of the losses in nats, unscaled
   * @throws IllegalArgumentException if inputs or targets are not R, or outside the vocabulary
   * @throws IllegalStateException if the model or the workspace is closed
   */
  public double lossAndGradients(
      Kernels kernels,
      Workspace workspace,
      int[] inputs,
      int[] targets,
      double scale,
      DropoutSites dropout,
      WriteMode mode,
      ParameterSet gradients) {
    return lossAndGradients(
        kernels, workspace, inputs, targets, scale, null, dropout, mode, gradients);
  }

  /**
   * Forward and backward where how much a target counts depends on the losses of all of them, as it
   * does where whole answers are compared. The head is passed through once more for that, the rest
   * of the model is not.
   *
   * @param scale as {@link #lossAndGradients(Kernels, Workspace, int[], int[], double,
   *     DropoutSites, WriteMode, ParameterSet)} has it
   * @param weighting says how much each target counts; null: each the same
   * @return what the weighting returned, or else the sum of the losses
   */
  public double lossAndGradients(
      Kernels kernels,
      Workspace workspace,
      int[] inputs,
      int[] targets,
      double scale,
      @Nullable LossWeighting weighting,
      DropoutSites dropout,
      WriteMode mode,
      ParameterSet gradients) {
    requireIds("inputs", inputs, 0, workspace);
    requireIds("targets", targets, Integer.MIN_VALUE, workspace);
    Weights used = workspace.weights(weights, dropout, gradients);
    Weights d = adapter == null ? gradients.weights(config) : Weights.frozen(config.layers());
    INDArray x = workspace.activations.norm.values();
    INDArray dX = workspace.gradients.normalized();
    INDArray head = weights.head().weight();
    INDArray dHead = d.head().weight();
    INDArray logits = workspace.logits;
    double[] factors = null;
    double weighed = 0;
    if (adapter == null && mode == WriteMode.OVERWRITE) {
      gradients.zeroAllButMaps(config);
    }
    passes.forward(kernels, used, workspace, inputs, dropout);
    if (weighting != null) {
      kernels.crossEntropy(x, head, targets, 1, null, logits, workspace.losses, null, mode, null);
      factors = workspace.factors;
      weighed = weighting.weigh(workspace.losses, factors);
    }
    double sum =
        kernels.crossEntropy(x, head, targets, scale, factors, logits, null, dX, mode, dHead);
    passes.backward(kernels, used, workspace, inputs, dropout, mode, d);
    return weighting == null ? sum : weighed;
  }

  /**
   * Forward only, without dropout.
   *
   * @param losses result (R): −ln p of each target, 0 where it is not counted; or null
   * @return the sum of the losses in nats
   * @throws IllegalArgumentException if inputs or targets are not R, or outside the vocabulary
   * @throws IllegalStateException if the model or the workspace is closed
   */
  public double loss(
      Kernels kernels,
      Workspace workspace,
      int[] inputs,
      int[] targets,
      double @Nullable [] losses) {
    requireIds("inputs", inputs, 0, workspace);
    requireIds("targets", targets, Integer.MIN_VALUE, workspace);
    Weights used = workspace.weights(weights, DropoutSites.NONE, null);
    passes.forward(kernels, used, workspace, inputs, DropoutSites.NONE);
    INDArray x = workspace.activations.norm.values();
    INDArray head = weights.head().weight();
    INDArray logits = workspace.logits;
    WriteMode none = WriteMode.ADD; // of no gradients
    return kernels.crossEntropy(x, head, targets, 1, null, logits, losses, null, none, null);
  }

  void requireIds(String name, int[] ids, int least, Workspace workspace) {
    if (workspace.logits.wasClosed()) {
      throw new IllegalStateException("the workspace is closed");
    }
    if (ids.length != workspace.rows()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s (%,d) must be as many as the workspace has rows (%,d)",
              name,
              ids.length,
              workspace.rows()));
    }
    for (int id : ids) {
      if (id < least || id >= config.vocabularySize()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "token id %d in %s is outside the vocabulary of %,d",
                id,
                name,
                config.vocabularySize()));
      }
    }
  }

  /** What a pass over weights of this model computes. */
  Passes passes() {
    return passes;
  }

  /** The model's own weights, as views. */
  Weights weights() {
    return weights;
  }

  /**
   * Frees the weights, but of a mixed model only its copies, and of an adapted one only the
   * adapter; closing twice is fine.
   */
  @Override
  public void close() {
    owned.forEach(Runnable::run);
    passes.close();
  }
}
