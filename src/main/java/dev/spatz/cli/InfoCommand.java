package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.checkpoint.Provenance;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A model's directory → its shape, memory and tokenizer, and where it comes from. */
@Command(
    name = "info",
    description = "Shows a model's shape, memory and tokenizer, and where it comes from.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class InfoCommand implements Callable<Integer> {
  private static final Set<String> SHOWN_ABOVE = Set.of("model", "parameters", "seed");

  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "Directory of the model.")
  private Path directory;

  @Override
  public Integer call() throws IOException {
    try (LanguageModel model = LanguageModel.load(directory)) {
      printShape(model.config());
      print("memory", model.memory());
      print("memory of a text", textMemory(model));
      print("tokenizer", model.tokenizer());
      model
          .provenance()
          .ifPresentOrElse(this::printProvenance, () -> print("provenance", "not recorded"));
    }
    return ExitCode.OK;
  }

  private void printShape(TransformerConfig shape) {
    print("architecture", shape.architecture().name().toLowerCase(Locale.ROOT));
    print("parameters", ProgressLine.format("%,d", shape.parameterCount()));
    print("vocabulary", ProgressLine.format("%,d", shape.vocabularySize()));
    print("context", ProgressLine.format("%,d", shape.contextLength()));
    print("layers", shape.layers());
    print("channels", shape.channels());
    print("heads", shape.heads());
    print("key/value heads", shape.keyValueHeads());
    print("feed-forward", shape.feedForward());
  }

  /** What the keys and values of a text take that fills the context. */
  private static String textMemory(LanguageModel model) {
    TransformerConfig shape = model.config();
    long cached =
        2L * shape.layers() * shape.keyValueHeads() * shape.headSize() * shape.contextLength();
    return ProgressLine.format("up to %,d bytes", cached * Float.BYTES);
  }

  private void printProvenance(Provenance provenance) {
    print("trained", provenance.date());
    print("with spatz", provenance.libraryVersion());
    print("on bytes", ProgressLine.format("%,d", provenance.dataBytes()));
    print("SHA-256 of them", provenance.dataDigest());
    print("seed", provenance.seed());
    print("training loss", figure(provenance.trainingLoss(), "nats/token"));
    print("validation loss", figure(provenance.validationLoss(), "nats/token"));
    print("", figure(provenance.validationBitsPerByte(), "bits/byte"));
    provenance.configuration().keySet().stream()
        .filter(name -> !SHOWN_ABOVE.contains(name))
        .forEach(name -> print(name, provenance.configuration().get(name)));
  }

  private static String figure(@Nullable Double value, String unit) {
    return value == null ? "not measured" : ProgressLine.format("%.4f %s", value, unit);
  }

  private void print(String name, Object value) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(ProgressLine.format("%-20s %s", name, value));
  }
}
