package dev.spatz.cli;

import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.CorpusReport;
import java.io.IOException;
import java.io.PrintWriter;
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

/** Texts → what they contain. */
@Command(
    name = "inspect",
    description = "Tells what texts contain: lengths, scripts, odd characters, duplicates.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "CORPUS",
      arity = "1..*",
      description = "Text files, directories of them, .csv or .jsonl files.")
  private List<Path> corpus;

  @Option(
      names = "--validation",
      paramLabel = "FILE",
      description = "Look for its documents among those of the corpus, too.")
  private @Nullable Path validation;

  @Mixin private CorpusOptions texts;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Corpus all = texts.corpus(corpus);
    out.println(CorpusReport.of(all));
    if (validation != null) {
      CorpusReport.Overlap overlap = CorpusReport.overlap(all, texts.corpus(List.of(validation)));
      out.println(
          ProgressLine.format(
              "validation       %,d of %,d documents are in the corpus to the letter, %,d nearly",
              overlap.exact(), overlap.documents(), overlap.near()));
    }
    return ExitCode.OK;
  }
}
