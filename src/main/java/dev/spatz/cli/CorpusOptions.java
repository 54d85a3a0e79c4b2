package dev.spatz.cli;

import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.CorpusReport;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which part of a corpus file is its text. */
final class CorpusOptions {
  private static final List<String> NAMES =
      List.of(
          "--text-column", "--text-field", "--decode-html", "--charset", "--without-duplicates");

  @Option(
      names = "--text-column",
      paramLabel = "NAME",
      description = "Column of .csv files that is the text (default: text).")
  private @Nullable String textColumn;

  @Option(
      names = "--text-field",
      paramLabel = "NAME",
      description = "Field of .jsonl files that is the text (default: text).")
  private @Nullable String textField;

  @Option(
      names = "--decode-html",
      description = "Decode HTML entities, such as &amp;, in .csv and .jsonl files.")
  private boolean decodeHtml;

  @Option(
      names = "--charset",
      paramLabel = "NAME",
      defaultValue = "UTF-8",
      description = "Encoding of the files (default: ${DEFAULT-VALUE}).")
  private Charset charset;

  @Option(
      names = "--without-duplicates",
      description = "Leave out documents that resemble an earlier one.")
  private boolean withoutDuplicates;

  /** Refuses them where the files have no texts. */
  static void requireNone(CommandLine command) {
    for (String option : NAMES) {
      if (command.getParseResult().hasMatchedOption(option)) {
        throw new ParameterException(
            command, option + " is for texts, not for --conversations or --preferences");
      }
    }
  }

  Corpus corpus(List<Path> paths) {
    Corpus corpus = Corpus.of(paths).withCharset(charset);
    if (textColumn != null) {
      corpus = corpus.withTextColumn(textColumn);
    }
    if (textField != null) {
      corpus = corpus.withTextField(textField);
    }
    if (decodeHtml) {
      corpus = corpus.withHtmlEntitiesDecoded();
    }
    return withoutDuplicates ? corpus.withoutDuplicates(CorpusReport.NEAR) : corpus;
  }
}
