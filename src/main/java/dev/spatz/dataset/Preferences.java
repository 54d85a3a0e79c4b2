package dev.spatz.dataset;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Pairs of answers to learn from which one is better, of the application or from files: {@code
 * .json} files with an array of records, {@code .jsonl} files with one a line. A record has
 *
 * <ul>
 *   <li>{@code prompt}: text, or an array of objects with {@code role} and {@code content}, which
 *       may also be called {@code messages};
 *   <li>{@code chosen} and {@code rejected}: text, or an array of one turn of the assistant.
 * </ul>
 *
 * <p>Records that are malformed, have an empty answer or twice the same one, or exceed the context
 * are refused, or left out and counted, see {@link #skippingFaults()}. Immutable; nothing is read
 * before it is needed.
 */
public final class Preferences implements TrainingSource {
  private final List<Path> files;
  private final List<Preference> given;
  private final boolean faultsSkipped;
  private final @Nullable Preferences validation;

  private Preferences(
      List<Path> files,
      List<Preference> given,
      boolean faultsSkipped,
      @Nullable Preferences validation) {
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
  public static Preferences of(Path... files) {
    if (files.length == 0) {
      throw new IllegalArgumentException("preferences need at least one file");
    }
    return new Preferences(List.of(files), List.of(), false, null);
  }

  /** Those of the application. */
  public static Preferences of(List<Preference> preferences) {
    return new Preferences(List.of(), List.copyOf(preferences), false, null);
  }

  /** These, with faulty records left out and counted in the log instead of refused. */
  public Preferences skippingFaults() {
    return new Preferences(files, given, true, validation);
  }

  /** These to train on, and others to measure with, instead of a last part. */
  public Preferences withValidation(Preferences others) {
    return new Preferences(files, given, faultsSkipped, Objects.requireNonNull(others));
  }

  /** Those to measure with, or null for a last part. */
  public @Nullable Preferences validation() {
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
  public List<Preference> read(RecordFaults faults) throws IOException {
    List<Preference> all = new ArrayList<>(given);
    for (Path file : files) {
      new RecordFile<>(file, ConversationRecords::preference, faultsSkipped ? faults : null)
          .read(all);
    }
    return all;
  }
}
