package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.dataset.Conversations;
import dev.spatz.training.TrainingConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A model's directory and texts → a new model's directory. */
@Command(
    name = "finetune",
    description = {
      "Trains a model on with texts, and saves the new model.",
      "Ctrl-C stops early, and saves what there is."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class FineTuneCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "DIR",
      description = "Directory of the model, which stays as it is.")
  private Path directory;

  @Parameters(
      index = "1..*",
      paramLabel = "CORPUS",
      arity = "1..*",
      description = "Text files, directories of them, .csv or .jsonl files.")
  private List<Path> corpus;

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      description = "The highest learning rate (default: a tenth of a new model's).")
  private @Nullable Double learningRate;

  @Option(
      names = "--conversations",
      description = {
        "The files are .json or .jsonl files of conversations (messages, instruction/output or"
            + " prompt/completion); the model learns to answer. Shows answers to a few held-out"
            + " prompts, before and after."
      })
  private boolean conversations;

  @Option(
      names = "--skip-faults",
      description = "Leave out conversations that are malformed or too long, instead of stopping.")
  private boolean faultsSkipped;

  @Mixin private TrainingOptions options;

  @Override
  public Integer call() throws IOException {
    TrainingConfig config = options.applyTo(TrainingConfig.defaults());
    if (learningRate != null) {
      config = config.withLearningRate(learningRate);
    }
    try (LanguageModel model = LanguageModel.load(directory)) {
      TrainingRun.Training training =
          (texts, settings, listener, cancellation) ->
              conversations
                  ? LanguageModel.fineTune(model, conversations(), settings, listener, cancellation)
                  : LanguageModel.fineTune(model, texts, settings, listener, cancellation);
      BeforeAndAfter samples =
          conversations ? BeforeAndAfter.heldOut(conversations()) : null; // read before training
      boolean ended =
          new TrainingRun(spec.commandLine().getErr())
              .trainAndSave(
                  options.corpus(corpus), config, options.reporting(training), options.out());
      if (ended && samples != null) {
        try (LanguageModel tuned = LanguageModel.load(options.out())) {
          samples.show(model, tuned, spec.commandLine().getOut());
        }
      }
    }
    return ExitCode.OK;
  }

  private Conversations conversations() {
    Conversations all = Conversations.of(corpus.toArray(Path[]::new));
    return faultsSkipped ? all.skippingFaults() : all;
  }
}
