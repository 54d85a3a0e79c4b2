package dev.spatz.transformer;

import dev.spatz.kernel.AttentionShape;
import dev.spatz.kernel.Gelu;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The shape of a decoder-only transformer.
 *
 * @param architecture the family, which decides normalization, positions and activation
 * @param vocabularySize V, number of token ids
 * @param contextLength P, the most positions a sequence can have
 * @param layers L
 * @param channels C, width of the residual stream
 * @param heads H, query heads
 * @param keyValueHeads G, key and value heads; divides {@code heads}, equal to it for {@code GPT2}
 * @param headSize D, usually C/H; even where positions are rotary
 * @param feedForward F, width inside the feed-forward part
 * @param biases which linear maps have biases: {@code GPT2} all or none, and its normalizations
 *     with them; {@code QWEN2} queries, keys and values; {@code QWEN3} those of the attention or
 *     none
 * @param tiedEmbeddings whether the head's weights are the token embeddings
 * @param gelu form of the activation of {@code GPT2}; others do not use it
 * @param normEpsilon added to the variance in normalizations
 * @param ropeTheta base of the rotary frequencies; {@code GPT2} does not use it
 * @param ropeScaling how those are lowered; {@code GPT2} does not use it
 * @param dropout probability of zeroing in training: after the embedding, on attention weights and
 *     at the end of each residual branch, as nanoGPT does
 */
public record TransformerConfig(
    Architecture architecture,
    int vocabularySize,
    int contextLength,
    int layers,
    int channels,
    int heads,
    int keyValueHeads,
    int headSize,
    int feedForward,
    Biases biases,
    boolean tiedEmbeddings,
    Gelu gelu,
    double normEpsilon,
    double ropeTheta,
    RopeScaling ropeScaling,
    double dropout) {

  /**
   * Checks the shape.
   *
   * @throws IllegalArgumentException if a size is not positive, heads do not divide, a number is
   *     out of range, or the architecture has no such biases
   */
  public TransformerConfig {
    requirePositive("vocabularySize", vocabularySize);
    requirePositive("contextLength", contextLength);
    requirePositive("layers", layers);
    requirePositive("channels", channels);
    requirePositive("heads", heads);
    requirePositive("keyValueHeads", keyValueHeads);
    requirePositive("headSize", headSize);
    requirePositive("feedForward", feedForward);
    if (heads % keyValueHeads != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "keyValueHeads (%d) must divide heads (%d)", keyValueHeads, heads));
    }
    if (architecture == Architecture.GPT2
        && (keyValueHeads != heads || (long) heads * headSize != channels)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "gpt2 needs keyValueHeads (%d) = heads (%d) and heads · headSize (%d) = channels (%d)",
              keyValueHeads,
              heads,
              headSize,
              channels));
    }
    if (architecture != Architecture.GPT2 && headSize % 2 != 0) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "headSize (%d) must be even for rotary positions", headSize));
    }
    if (!allows(architecture, biases)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "biases (%s) of %s must be %s",
              biases,
              architecture.name().toLowerCase(Locale.ROOT),
              Arrays.stream(Biases.values())
                  .filter(other -> allows(architecture, other))
                  .map(Biases::name)
                  .collect(Collectors.joining(" or "))));
    }
    if (!(normEpsilon > 0) || Double.isInfinite(normEpsilon)) {
      throw new IllegalArgumentException("normEpsilon (" + normEpsilon + ") must be positive");
    }
    if (!(ropeTheta > 0) || Double.isInfinite(ropeTheta)) {
      throw new IllegalArgumentException("ropeTheta (" + ropeTheta + ") must be positive");
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new IllegalArgumentException(
          "dropout (" + dropout + ") must be at least 0 and below 1");
    }
  }

  /**
   * A GPT-2: biases, tied embeddings, tanh GELU, feed-forward width 4·C.
   *
   * @throws IllegalArgumentException if heads do not divide channels
   */
  public static TransformerConfig gpt2(
      int vocabularySize, int contextLength, int layers, int heads, int channels) {
    return new TransformerConfig(
        Architecture.GPT2,
        vocabularySize,
        contextLength,
        layers,
        channels,
        heads,
        heads,
        headSize(channels, heads),
        4 * channels,
        Biases.ALL,
        true,
        Gelu.TANH,
        1e-5,
        10_000,
        RopeScaling.NONE,
        0);
  }

  /**
   * A Llama: no biases, tied embeddings, as many key/value heads as heads, feed-forward width 8/3·C
   * rounded up to a multiple of 32, which gives as many parameters as a GPT-2 of the same C.
   *
   * @throws IllegalArgumentException if heads do not divide channels
   */
  public static TransformerConfig llama(
      int vocabularySize, int contextLength, int layers, int heads, int channels) {
    return gated(
        Architecture.LLAMA, Biases.NONE, vocabularySize, contextLength, layers, heads, channels);
  }

  /**
   * A Qwen2: as {@link #llama}, with biases of queries, keys and values.
   *
   * @throws IllegalArgumentException if heads do not divide channels
   */
  public static TransformerConfig qwen2(
      int vocabularySize, int contextLength, int layers, int heads, int channels) {
    return gated(
        Architecture.QWEN2, Biases.QKV, vocabularySize, contextLength, layers, heads, channels);
  }

  /**
   * A Qwen3: as {@link #llama}, with normalized query and key heads.
   *
   * @throws IllegalArgumentException if heads do not divide channels
   */
  public static TransformerConfig qwen3(
      int vocabularySize, int contextLength, int layers, int heads, int channels) {
    return gated(
        Architecture.QWEN3, Biases.NONE, vocabularySize, contextLength, layers, heads, channels);
  }

  private static TransformerConfig gated(
      Architecture architecture,
      Biases biases,
      int vocabularySize,
      int contextLength,
      int layers,
      int heads,
      int channels) {
    return new TransformerConfig(
        architecture,
        vocabularySize,
        contextLength,
        layers,
        channels,
        heads,
        heads,
        headSize(channels, heads),
        (8 * channels / 3 + 31) / 32 * 32,
        biases,
        true,
        Gelu.TANH,
        1e-5,
        10_000,
        RopeScaling.NONE,
        0);
  }

  /** This shape with another vocabulary size. */
  public TransformerConfig withVocabularySize(int value) {
    return with(draft -> draft.vocabularySize = value);
  }

  /** This shape with another context length. */
  public TransformerConfig withContextLength(int value) {
    return with(draft -> draft.contextLength = value);
  }

  /** This shape with another number of key/value heads. */
  public TransformerConfig withKeyValueHeads(int value) {
    return with(draft -> draft.keyValueHeads = value);
  }

  /** This shape with another head size. */
  public TransformerConfig withHeadSize(int value) {
    return with(draft -> draft.headSize = value);
  }

  /** This shape with another feed-forward width. */
  public TransformerConfig withFeedForward(int value) {
    return with(draft -> draft.feedForward = value);
  }

  /** This shape with all biases, or with none. */
  public TransformerConfig withBiases(boolean value) {
    return withBiases(value ? Biases.ALL : Biases.NONE);
  }

  /** This shape with other biases. */
  public TransformerConfig withBiases(Biases value) {
    return with(draft -> draft.biases = value);
  }

  /** This shape with tied or separate head weights. */
  public TransformerConfig withTiedEmbeddings(boolean value) {
    return with(draft -> draft.tiedEmbeddings = value);
  }

  /** This shape with another form of GELU. */
  public TransformerConfig withGelu(Gelu value) {
    return with(draft -> draft.gelu = value);
  }

  /** This shape with another epsilon of its normalizations. */
  public TransformerConfig withNormEpsilon(double value) {
    return with(draft -> draft.normEpsilon = value);
  }

  /** This shape with another base of the rotary frequencies. */
  public TransformerConfig withRopeTheta(double value) {
    return with(draft -> draft.ropeTheta = value);
  }

  /** This shape with other scaling of its rotary frequencies. */
  public TransformerConfig withRopeScaling(RopeScaling value) {
    return with(draft -> draft.ropeScaling = value);
  }

  /** This shape with another probability of dropout. */
  public TransformerConfig withDropout(double value) {
    return with(draft -> draft.dropout = value);
  }

  /** The number of trainable parameters, a tied matrix counted once. */
  public long parameterCount() {
    return ParameterLayout.of(this).parameterCount();
  }

  /** How a sequence of {@code time} positions is cut into heads. */
  AttentionShape attentionShape(int time) {
    return new AttentionShape(time, heads, keyValueHeads, headSize);
  }

  /** Width of the first feed-forward map: gate and up side by side where there is a gate. */
  int hiddenWidth() {
    return gated() ? 2 * feedForward : feedForward;
  }

  /** Whether it is a kind of Llama: RMS normalization, rotary positions, SwiGLU. */
  boolean gated() {
    return architecture != Architecture.GPT2;
  }

  private static boolean allows(Architecture architecture, Biases biases) {
    return switch (architecture) {
      case GPT2 -> biases == Biases.NONE || biases == Biases.ALL;
      case LLAMA -> biases != Biases.QKV;
      case QWEN2 -> biases == Biases.QKV;
      case QWEN3 -> biases == Biases.NONE || biases == Biases.ATTENTION;
    };
  }

  private static int headSize(int channels, int heads) {
    requirePositive("heads", heads);
    if (channels % heads != 0) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "heads (%d) must divide channels (%d)", heads, channels));
    }
    return channels / heads;
  }

  private static void requirePositive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s (%d) must be positive", name, value));
    }
  }

  private TransformerConfig with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.config();
  }

  /** A mutable copy, for the {@code with…} methods. */
  private static final class Draft {
    final Architecture architecture;
    int vocabularySize;
    int contextLength;
    final int layers;
    final int channels;
    final int heads;
    int keyValueHeads;
    int headSize;
    int feedForward;
    Biases biases;
    boolean tiedEmbeddings;
    Gelu gelu;
    double normEpsilon;
    double ropeTheta;
    RopeScaling ropeScaling;
    double dropout;

    Draft(TransformerConfig config) {
      architecture = config.architecture;
      vocabularySize = config.vocabularySize;
      contextLength = config.contextLength;
      layers = config.layers;
      channels = config.channels;
      heads = config.heads;
      keyValueHeads = config.keyValueHeads;
      headSize = config.headSize;
      feedForward = config.feedForward;
      biases = config.biases;
      tiedEmbeddings = config.tiedEmbeddings;
      gelu = config.gelu;
      normEpsilon = config.normEpsilon;
      ropeTheta = config.ropeTheta;
      ropeScaling = config.ropeScaling;
      dropout = config.dropout;
    }

    TransformerConfig config() {
      return new TransformerConfig(
          architecture,
          vocabularySize,
          contextLength,
          layers,
          channels,
          heads,
          keyValueHeads,
          headSize,
          feedForward,
          biases,
          tiedEmbeddings,
          gelu,
          normEpsilon,
          ropeTheta,
          ropeScaling,
          dropout);
    }
  }
}
