package dev.spatz;

import dev.spatz.checkpoint.BaseModel;
import dev.spatz.checkpoint.InvalidFileException;
import dev.spatz.checkpoint.RunDirectory;
import dev.spatz.checkpoint.RunSettings;
import dev.spatz.checkpoint.SavedCheckpoint;
import dev.spatz.dataset.Preferences;
import dev.spatz.dataset.TrainingData;
import dev.spatz.dataset.TrainingSource;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingPlan;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The settings of a run, and those that are asked for → those with which it goes on. Whatever would
 * change its result is refused, or is allowed to.
 */
final class ResumedSettings {
  private static final Logger LOG = LoggerFactory.getLogger(ResumedSettings.class);

  private final RunDirectory run;
  private final SavedCheckpoint from;
  private final ResumeConfig config;
  private final DataPreparation preparation;
  private final List<String> changes = new ArrayList<>();

  /** {@code preparation} is for data that is given again. */
  ResumedSettings(
      RunDirectory run, SavedCheckpoint from, ResumeConfig config, DataPreparation preparation) {
    this.run = run;
    this.from = from;
    this.config = config;
    this.preparation = preparation;
  }

  /**
   * Decides them; the data they are for is then in the run's directory.
   *
   * @param base what is known of the model that the run begins with, as it is now
   * @throws IllegalArgumentException if there are changes that are not possible or not allowed
   */
  RunSettings decide(Map<String, String> base) throws IOException {
    RunSettings recorded = from.settings();
    KernelBackend kernels = KernelBackend.choose();
    TrainingConfig asked = config.config();
    TrainingPlan before = recorded.plan().withSteps(steps());
    TrainingPlan plan = asked == null ? before.goOn(kernels) : before.goOn(asked, kernels);
    requirePossible(before, plan);
    changes.addAll(before.changes(plan));
    if (!recorded.instructionSet().equals(kernels.instructionSet())) {
      addChange("instructionSet", recorded.instructionSet(), kernels.instructionSet());
    }
    String weights = recorded.base().getOrDefault(BaseModel.WEIGHTS, "none");
    boolean sameBase = weights.equals(base.getOrDefault(BaseModel.WEIGHTS, "none"));
    if (!sameBase) {
      addChange(BaseModel.WEIGHTS, weights, base.get(BaseModel.WEIGHTS));
    }
    if (asked != null) {
      compareTokenizer(asked.tokenizer());
    }
    String tokens = tokensDigest();
    RunSettings now =
        RunSettings.of(plan, tokens, sameBase ? recorded.base() : base, checkpoints(), threads());
    if (!now.libraryVersion().equals(recorded.libraryVersion())) {
      LOG.warn(
          "the run was begun by version {} of this library, and goes on with version {}",
          recorded.libraryVersion(),
          now.libraryVersion());
    }
    return now;
  }

  private void addChange(String name, String before, String now) {
    changes.add(name + " was " + before + ", is " + now);
  }

  /** A number that was asked for is no change that has to be allowed. */
  private long steps() {
    long planned = from.settings().plan().steps();
    long done = from.progress().step();
    if (config.steps() != TrainingConfig.AUTO && config.steps() < done) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "steps (%,d) must not be less than those that are done (%,d)",
              config.steps(),
              done));
    }
    return config.steps() == TrainingConfig.AUTO ? planned : config.steps();
  }

  private void requirePossible(TrainingPlan before, TrainingPlan now) {
    TransformerConfig shape = before.model().withDropout(0);
    if (!shape.equals(now.model().withDropout(0))) {
      throw new IllegalArgumentException(
          "the shape of a model cannot change, but for its dropout; it was "
              + shape
              + ", and is to be "
              + now.model());
    }
    if (!before.optimizer().getClass().equals(now.optimizer().getClass())) {
      throw new IllegalArgumentException(
          "the kind of the optimizer cannot change; it was "
              + before.optimizer()
              + ", and is to be "
              + now.optimizer());
    }
    TrainingSource data = config.data();
    boolean pairs = before.preference() != null;
    if (data != null && data instanceof Preferences != pairs
        || pairs != (now.preference() != null)) {
      throw new IllegalArgumentException(
          "the run learns from "
              + (pairs ? "pairs of answers" : "other data than pairs of answers")
              + ", which cannot change");
    }
  }

  private void compareTokenizer(TokenizerKind asked) {
    // Byte pairs are also what a configuration has that says nothing.
    if (asked == TokenizerKind.CHARACTER
        && !(preparation.tokenizer() instanceof CharacterTokenizer)) {
      throw new IllegalArgumentException(
          "the tokenizer cannot change; the run's has byte pairs, not characters");
    }
  }

  /** Settings that the result does not depend on. */
  private CheckpointConfig checkpoints() throws IOException {
    CheckpointConfig asked = config.config() == null ? null : config.config().checkpoints();
    if (asked == null) {
      return from.settings().checkpoints();
    }
    if (!Files.isSameFile(asked.directory(), run.path())) {
      throw new IllegalArgumentException(
          "the checkpoints' directory ("
              + asked.directory()
              + ") must be that of the run that is resumed, "
              + run.path());
    }
    return asked;
  }

  private int threads() {
    if (config.threads() > 0) {
      return config.threads();
    }
    return config.config() == null ? from.settings().threads() : config.config().threads();
  }

  /**
   * SHA-256 of the tokens that the run goes on with, which are then in its directory. All changes
   * are known here, and refused before anything is.
   */
  private String tokensDigest() throws IOException {
    String recorded = from.settings().tokensDigest();
    TrainingSource given = config.data();
    if (given == null) {
      refuseChanges();
      if (!RunDirectory.tokensDigest(run.path()).equals(recorded)) {
        throw new InvalidFileException(
            run.tokens(),
            "this is not what the run was trained on; give the data, and it is made anew");
      }
      return recorded;
    }
    TrainingConfig asked = Objects.requireNonNull(config.config());
    String text;
    try (TrainingData data = preparation.prepare(given, asked.validation(), run.compared())) {
      text =
          String.format(
              Locale.ROOT,
              "SHA-256 %s, %,d tokens for training, %,d for validation",
              data.digest(),
              data.trainTokens(),
              data.validationTokens());
    }
    String digest = RunDirectory.tokensDigest(run.compared());
    if (!digest.equals(recorded)) {
      requireNoPairs();
      changes.add("the data were others than those that are given (" + text + ")");
    }
    refuseChanges();
    run.takeCompared();
    return digest;
  }

  private void requireNoPairs() {
    if (from.settings().plan().preference() != null) {
      throw new IllegalArgumentException(
          run.path()
              + ": the pairs of answers were others than those that are given, and cannot change:"
              + " what the model made of them before the run is part of it; train anew");
    }
  }

  private void refuseChanges() {
    if (!changes.isEmpty() && !config.changesAllowed()) {
      throw new IllegalArgumentException(
          run.path()
              + ": the run cannot go on exactly: "
              + String.join("; ", changes)
              + "; resume it as it was (with the model that it began with, loaded alike), or allow"
              + " changes");
    }
    if (!changes.isEmpty()) {
      LOG.warn("{} goes on with changes: {}", run.path(), String.join("; ", changes));
    }
  }
}
