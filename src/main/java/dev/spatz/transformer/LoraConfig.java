package dev.spatz.transformer;

import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A low-rank adapter (LoRA, Hu et al. 2021): beside some matrices W of a model, whose weights stay
 * as they are, {@code scale·B·A} is learned, of far fewer numbers.
 *
 * @param rank r of A (r,I) and B (O,r), at least 1
 * @param alpha the update's scale is {@code alpha/rank}; positive
 * @param dropout of what goes into A, while training
 * @param targets the matrices that get an update; none: all linear maps of the blocks
 * @param rankStabilized whether the scale is {@code alpha/√rank} instead (Kalajdzievski 2023)
 */
public record LoraConfig(
    int rank, double alpha, double dropout, Set<LoraTarget> targets, boolean rankStabilized) {
  private static final LoraConfig DEFAULTS = new LoraConfig(8, 16, 0, Set.of(), false);

  /**
   * Checks each value.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public LoraConfig {
    require(rank >= 1, "rank", rank, "must be at least 1");
    require(
        alpha > 0 && alpha < Double.POSITIVE_INFINITY,
        "alpha",
        alpha,
        "must be positive and finite");
    require(dropout >= 0 && dropout < 1, "dropout", dropout, "must be at least 0 and below 1");
    Set<LoraTarget> sorted = EnumSet.noneOf(LoraTarget.class);
    sorted.addAll(targets);
    targets = Collections.unmodifiableSet(sorted);
  }

  private static void require(boolean holds, String name, Object value, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(name + " (" + value + ") of an adapter " + rule);
    }
  }

  /** Rank 8, alpha 16, no dropout, all linear maps of the blocks. */
  public static LoraConfig defaults() {
    return DEFAULTS;
  }

  /** This configuration with another rank. */
  public LoraConfig withRank(int value) {
    return new LoraConfig(value, alpha, dropout, targets, rankStabilized);
  }

  /** This configuration with another alpha. */
  public LoraConfig withAlpha(double value) {
    return new LoraConfig(rank, value, dropout, targets, rankStabilized);
  }

  /** This configuration with another dropout. */
  public LoraConfig withDropout(double value) {
    return new LoraConfig(rank, alpha, value, targets, rankStabilized);
  }

  /** This configuration for other matrices; none: all linear maps of the blocks. */
  public LoraConfig withTargets(LoraTarget... values) {
    return new LoraConfig(rank, alpha, dropout, Set.of(values), rankStabilized);
  }

  /** This configuration with the scale {@code alpha/√rank}, or {@code alpha/rank}. */
  public LoraConfig withRankStabilized(boolean value) {
    return new LoraConfig(rank, alpha, dropout, targets, value);
  }

  /** The factor of {@code B·A}. */
  public double scale() {
    return alpha / (rankStabilized ? Math.sqrt(rank) : rank);
  }

  /**
   * The matrices of a model that get an update.
   *
   * @throws IllegalArgumentException if the model has not all targets
   */
  public List<LoraModule> modules(TransformerConfig model) {
    List<LoraTarget> possible = LoraTarget.of(model);
    for (LoraTarget target : targets) {
      if (!possible.contains(target)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "targets (%s) of an adapter must be among those of a model of architecture %s: %s",
                target,
                model.architecture(),
                possible));
      }
    }
    return LoraModule.of(model).stream()
        .filter(module -> targets.isEmpty() || targets.contains(module.target()))
        .toList();
  }
}
