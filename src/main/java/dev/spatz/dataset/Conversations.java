package dev.spatz.dataset;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Conversations to learn from, of the application or from files: {@code .json} files with an array
 * of records, {@code .jsonl} files with one a line. A record has one of three shapes:
 *
 * <ul>
 *   <li>{@code messages}: an array of objects with {@code role} and {@code content}; {@code
 *       tool_calls} and {@code tools} are not carried, and refused;
 *   <li>{@code instruction}, perhaps {@code input}, and {@code output};
 *   <li>{@code prompt} and {@code completion}.
 * </ul>
 *
 * <p>Records that are malformed, have an empty answer, or exceed the context are refused, or left
 * out and counted, see {@link #skippingFaults()}. Immutable; nothing is read before it is needed.
 */
public final class Conversations implements TrainingSource {
  private final List<Path> files;
  private final List<Conversation> given;
  private final boolean faultsSkipped;
  private final @Nullable Conversations validation;

  private Conversations(
      List<Path> files,
      List<Conversation> given,
      boolean faultsSkipped,
      @Nullable Conversations validation) {
    this.files = files;
    this.given = given;
    this.faultsSkipped = faultsSkipped;
    this.validation = validation;
  }

  /**
   * Those of files, in this order.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Conversations of(Path... files) {
    if (files.length == 0) {
      throw new IllegalArgumentException("conversations need at least one file");
    }
    return new Conversations(List.of(files), List.of(), false, null);
  }

  /** Those of the application. */
  public static Conversations of(List<Conversation> conversations) {
    return new Conversations(List.of(), List.copyOf(conversations), false, null);
  }

  /** These, with faulty records left out and counted in the log instead of refused. */
  public Conversations skippingFaults() {
    return new Conversations(files, given, true, validation);
  }

  /** These to train on, and others to measure with, instead of a last part. */
  public Conversations withValidation(Conversations others) {
    return new Conversations(files, given, faultsSkipped, Objects.requireNonNull(others));
  }

  /** Those to measure with, or null for a last part. */
  public @Nullable Conversations validation() {
    return validation;
  }

  /** Whether faulty records are left out. */
  public boolean faultsSkipped() {
    return faultsSkipped;
  }

  /**
   * Reads them all.
   *
   * @param faults is told each fault of a record that is left out, with its place
   * @throws MalformedTextException if a record is faulty and faults are not left out, or a file is
   *     no JSON
   * @throws IOException if a file cannot be read
   */
  public List<Conversation> read(RecordFaults faults) throws IOException {
    List<Conversation> all = new ArrayList<>(given);
    for (Path file : files) {
      new RecordFile<>(file, ConversationRecords::conversation, faultsSkipped ? faults : null)
          .read(all);
    }
    return all;
  }
}
