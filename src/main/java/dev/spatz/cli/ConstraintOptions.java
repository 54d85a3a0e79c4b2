package dev.spatz.cli;

import dev.spatz.constraint.Constraint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The form that a text must have; one of several notations. */
final class ConstraintOptions {
  @Option(
      names = "--regex",
      paramLabel = "EXPRESSION",
      description = "Write a text that matches this regular expression.")
  private @Nullable String regex;

  @Option(
      names = "--one-of",
      paramLabel = "TEXT",
      split = "\\|",
      description = "Write one of these texts, separated by |.")
  private @Nullable List<String> texts;

  @Option(names = "--json-schema", paramLabel = "FILE", description = "Write JSON of this schema.")
  private @Nullable Path schema;

  @Option(
      names = "--grammar",
      paramLabel = "FILE",
      description = "Write a text of this grammar (GBNF).")
  private @Nullable Path grammar;

  Constraint constraint() throws IOException {
    if (regex != null) {
      return Constraint.regex(regex);
    }
    if (schema != null) {
      return Constraint.jsonSchema(Files.readString(schema));
    }
    if (grammar != null) {
      return Constraint.grammar(Files.readString(grammar));
    }
    return Constraint.oneOf(texts == null ? List.of() : texts);
  }
}
