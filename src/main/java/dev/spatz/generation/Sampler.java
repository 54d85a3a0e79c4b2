package dev.spatz.generation;

import dev.spatz.constraint.TokenConstraint;
import dev.spatz.kernel.CounterRandom;
import dev.spatz.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Draws the tokens of one text from logits, by the steps that its configuration names: {@link
 * GenerationConfig} has their order.
 *
 * <p>Not for use by several threads: it holds the text so far and the memory of a draw.
 */
public final class Sampler {
  /** Instead of a token: all are forbidden. */
  static final int NONE = -1;

  /** The stream of the decisions to exclude the likeliest; the draws have the seed's own. */
  private static final long EXCLUSION = 1;

  private final List<SamplingStep> steps;
  private final CounterRandom random;
  private final Candidates candidates;
  private final TokenHistory history;
  private final @Nullable LogitsProcessor processor;
  private final TokenConstraint.@Nullable Matcher matcher;
  private final int mostTokens;

  /**
   * A sampler for a vocabulary; {@code seed} decides all its draws.
   *
   * @throws IllegalArgumentException if the bias names an id outside the vocabulary
   */
  public Sampler(GenerationConfig config, int vocabularySize, long seed) {
    this(config, vocabularySize, seed, new TokenHistory(), new BitSet(), null, 0);
  }

  /**
   * A sampler for a text that begins with a prompt.
   *
   * @param history the prompt; draws are added
   * @param breakers ids that end a run for {@link Dry}
   * @param matcher of the configuration's constraint, null if there is none
   * @param mostTokens tokens that can be drawn in all
   */
  Sampler(
      GenerationConfig config,
      int vocabularySize,
      long seed,
      TokenHistory history,
      BitSet breakers,
      TokenConstraint.@Nullable Matcher matcher,
      int mostTokens) {
    this.random = CounterRandom.of(seed);
    this.candidates = new Candidates(vocabularySize);
    this.history = history;
    this.processor = config.logitsProcessor();
    this.matcher = matcher;
    this.mostTokens = mostTokens;
    for (int id : config.logitBias().keySet()) {
      Require.that(
          id < vocabularySize,
          "logitBias of id",
          id,
          "is outside the vocabulary of " + vocabularySize);
    }
    List<SamplingStep> chain = new ArrayList<>(logitSteps(config, vocabularySize, breakers));
    if (!chain.isEmpty() || processor != null || matcher != null) {
      chain.add(new SamplingStep.RemoveForbidden());
    }
    chain.addAll(choosingSteps(config, vocabularySize));
    this.steps = List.copyOf(chain);
  }

  /** The first ids of the text, prompt and draws. */
  int[] firstIds(int count) {
    return history.first(count);
  }

  /** The ids whose text has one of the configuration's breakers. */
  static BitSet breakers(Dry dry, Tokenizer tokenizer) {
    BitSet breakers = new BitSet();
    for (int id = 0; id < tokenizer.vocabularySize() && dry.multiplier() > 0; id++) {
      breakers.set(id, dry.breakers().stream().anyMatch(tokenizer.decode(id)::contains));
    }
    return breakers;
  }

  private List<SamplingStep> logitSteps(
      GenerationConfig config, int vocabularySize, BitSet breakers) {
    List<SamplingStep> chain = new ArrayList<>();
    Penalties penalties = config.penalties();
    if (!config.logitBias().isEmpty()) {
      chain.add(new LogitStep.Bias(config.logitBias()));
    }
    if (!penalties.isNeutral()) {
      chain.add(new LogitStep.Repetition(penalties, history, new int[vocabularySize]));
    }
    if (penalties.noRepeatNgram() > 0) {
      chain.add(new LogitStep.NoRepeatNgram(penalties.noRepeatNgram(), history, vocabularySize));
    }
    if (config.dry().multiplier() > 0) {
      chain.add(new LogitStep.DryPenalty(config.dry(), history, breakers, vocabularySize));
    }
    return chain;
  }

  private List<SamplingStep> choosingSteps(GenerationConfig config, int vocabularySize) {
    if (config.temperature() == 0) {
      return List.of(new SamplingStep.Likeliest()); // which no truncation removes
    }
    List<SamplingStep> chain = new ArrayList<>();
    Truncation truncation = config.truncation();
    if (truncation.topNSigma() > 0) {
      chain.add(new SamplingStep.TopNSigma(truncation.topNSigma()));
    }
    if (truncation.topK() > 0) {
      chain.add(new SamplingStep.TopK(truncation.topK()));
    }
    if (truncation.typicalP() < 1) {
      chain.add(new SamplingStep.Typical(truncation.typicalP(), new double[vocabularySize]));
    }
    if (truncation.topP() < 1) {
      chain.add(new SamplingStep.TopP(truncation.topP()));
    }
    if (truncation.minP() > 0) {
      chain.add(new SamplingStep.MinP(truncation.minP()));
    }
    if (config.xtc().probability() > 0) {
      chain.add(new SamplingStep.ExcludeTop(config.xtc(), random.child(EXCLUSION)));
    }
    chain.add(new SamplingStep.Temperature(config.temperature()));
    return chain;
  }

  /**
   * The token number {@code index} of a text; it becomes part of the text.
   *
   * @param logits (V); a {@link LogitsProcessor} changes them
   * @return a token id; a negative number if all are forbidden
   * @throws IllegalStateException if the logits are not finite
   */
  public int sample(float[] logits, long index) {
    if (processor != null) {
      processor.process(history.view(), logits);
    }
    if (matcher != null) {
      matcher.forbid(logits, (int) (mostTokens - index));
    }
    candidates.load(logits, index);
    for (SamplingStep step : steps) {
      step.apply(candidates);
      if (candidates.count() == 0) {
        return NONE;
      }
    }
    int id = candidates.draw(random.uniform(index));
    history.add(id);
    if (matcher != null) {
      matcher.accept(id);
    }
    return id;
  }

  /** What to report of a text that ends for a reason, in view of the constraint. */
  FinishReason reason(FinishReason why) {
    boolean cut = why == FinishReason.MAX_NEW_TOKENS || why == FinishReason.CONTEXT_FULL;
    return matcher != null && cut && !matcher.matches() ? FinishReason.CONSTRAINT_UNFINISHED : why;
  }

  /** Whether the text has the form that the constraint demands, and nothing can be added. */
  boolean isComplete() {
    return matcher != null && matcher.isComplete();
  }

  /** Whether the text must have a form: its end is then the end-of-text token, always. */
  boolean isConstrained() {
    return matcher != null;
  }
}
