package dev.spatz.cli;

import static java.util.stream.Collectors.joining;

import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.CorpusReport;
import dev.spatz.dataset.Preferences;
import dev.spatz.tokenizer.Message;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
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

  @ArgGroup private @Nullable Kind kind;

  @Mixin private CorpusOptions texts;

  /** What the files have, if not texts. */
  static final class Kind {
    @Option(
        names = "--conversations",
        description = "The files have conversations, each a document: all that is said in it.")
    private boolean conversations;

    @Option(
        names = "--preferences",
        description = "The files have pairs of answers, each a document: prompt and both answers.")
    private boolean preferences;
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (kind != null) {
      CorpusOptions.requireNone(spec.commandLine());
    }
    Corpus all = corpus(corpus);
    out.println(CorpusReport.of(all));
    if (validation != null) {
      CorpusReport.Overlap overlap = CorpusReport.overlap(all, corpus(List.of(validation)));
      out.println(
          ProgressLine.format(
              "validation       %,d of %,d documents are in the corpus to the letter, %,d nearly",
              overlap.exact(), overlap.documents(), overlap.near()));
    }
    return ExitCode.OK;
  }

  private Corpus corpus(List<Path> files) throws IOException {
    if (kind == null) {
      return texts.corpus(files);
    }
    Path[] paths = files.toArray(Path[]::new);
    List<String> documents = new ArrayList<>();
    if (kind.preferences) {
      Preferences.of(paths)
          .read(fault -> {})
          .forEach(pair -> documents.add(said(pair.withChosen()) + "\n" + pair.rejected()));
    } else {
      Conversations.of(paths)
          .read(fault -> {})
          .forEach(each -> documents.add(said(each.messages())));
    }
    return Corpus.of(documents);
  }

  private static String said(List<Message> messages) {
    return messages.stream().map(Message::content).collect(joining("\n"));
  }
}
