package dev.spatz.checkpoint;

import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.TrainingPlan;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a training run was told, and what it was decided to be.
 *
 * @param plan everything that its result depends on
 * @param instructionSet that it computes with, see {@link
 *     dev.spatz.kernel.KernelBackend#instructionSet}
 * @param tokensDigest SHA-256 of the file of its tokens
 * @param base what is known of the model that it began as, see {@link BaseModel}; empty for a new
 *     one
 * @param checkpoints where and when it keeps checkpoints
 * @param threads worker threads, or {@link dev.spatz.training.TrainingConfig#AUTO}
 * @param libraryVersion of this library
 */
public record RunSettings(
    TrainingPlan plan,
    String instructionSet,
    String tokensDigest,
    Map<String, String> base,
    CheckpointConfig checkpoints,
    int threads,
    String libraryVersion) {

  /** Copies the map, its order too. */
  public RunSettings {
    base = Collections.unmodifiableMap(new LinkedHashMap<>(base));
  }

  /** The settings of a run that computes on this machine. */
  public static RunSettings of(
      TrainingPlan plan,
      String tokensDigest,
      Map<String, String> base,
      CheckpointConfig checkpoints,
      int threads) {
    return new RunSettings(
        plan,
        plan.kernels().instructionSet(),
        tokensDigest,
        base,
        checkpoints,
        threads,
        Provenance.version());
  }
}
