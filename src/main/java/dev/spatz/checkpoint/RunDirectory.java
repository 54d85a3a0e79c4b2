package dev.spatz.checkpoint;

import dev.spatz.dataset.TrainingData;
import dev.spatz.report.TrainingReport;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory of a training run, locked as long as it is open.
 *
 * <ul>
 *   <li>{@code dataset.tokens}: the tokens of the corpus; or {@code dataset.examples}
 *   <li>{@code checkpoint-000123}, the state after so many steps: a model in the layout of {@link
 *       ModelDirectory}, or an adapter in that of {@link AdapterDirectory} with the {@code
 *       config.json} of its model; {@code optimizer.safetensors}, {@code trainer_state.json}, and
 *       {@code SHA256SUMS} of all of them
 *   <li>{@code damaged-checkpoint-000123}: one that was passed over; delete it
 *   <li>{@code run.lock}: whose process is training
 * </ul>
 *
 * <p>A checkpoint is written whole or not at all, see {@link AtomicDirectory}: a process killed at
 * any moment leaves at least the newest one that was there.
 */
public final class RunDirectory implements AutoCloseable {
  private static final String CHECKPOINT = "checkpoint-";
  private static final String DAMAGED = "damaged-";
  private static final Pattern CHECKPOINT_NAME = Pattern.compile(CHECKPOINT + "(\\d{1,18})");

  /** Where data is written that is compared with the run's. */
  private static final String COMPARED = "compared";

  private static final Logger LOG = LoggerFactory.getLogger(RunDirectory.class);

  private final Path path;
  private final RunLock lock;

  private RunDirectory(Path path, RunLock lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Locks a directory for a new run, which the caller closes.
   *
   * @param directory made where it is absent; it may have what is left of a run that was killed
   *     before its first checkpoint
   * @throws IOException if another run is in it, or anything else; or if it is being trained in;
   *     the message has the id of the process
   */
  public static RunDirectory create(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(directory);
    }
    requireOurs(directory);
    RunDirectory run = lock(directory);
    try {
      if (!run.checkpoints().isEmpty()) {
        throw new IOException(
            directory
                + ": the directory has a training run already; resume it, or name a new directory");
      }
      run.deleteData();
      return run;
    } catch (Throwable e) {
      run.close();
      throw e;
    }
  }

  private void deleteData() throws IOException {
    for (String name : TrainingData.FILE_NAMES) {
      Files.deleteIfExists(path.resolve(name));
    }
  }

  /**
   * Locks the directory of a run that is to go on, which the caller closes.
   *
   * @throws IOException if there is none, or it is being trained in; the message has the id of the
   *     process
   */
  public static RunDirectory open(Path directory) throws IOException {
    if (!Files.exists(directory.resolve(RunLock.NAME))) {
      throw new NotDirectoryException(directory + ": there is no training run in it to resume");
    }
    return lock(directory);
  }

  /**
   * Whether a directory has a run with a checkpoint, so that a program that is started again can
   * choose between resuming it and beginning it.
   */
  public static boolean canBeResumed(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .map(entry -> entry.getFileName().toString())
          .anyMatch(
              name ->
                  CHECKPOINT_NAME.matcher(name).matches()
                      || name.startsWith("." + CHECKPOINT) && name.endsWith(AtomicDirectory.OLD));
    }
  }

  private static RunDirectory lock(Path directory) throws IOException {
    RunDirectory run = new RunDirectory(directory, RunLock.of(directory));
    try {
      AtomicDirectory.recoverAll(directory, CHECKPOINT);
      AtomicDirectory.deleteTree(run.compared());
      return run;
    } catch (Throwable e) {
      run.close();
      throw e;
    }
  }

  /** A directory of something else is nothing to train in, nor to clean. */
  private static void requireOurs(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      List<String> others =
          entries
              .map(entry -> entry.getFileName().toString())
              .filter(name -> TrainingData.FILE_NAMES.stream().noneMatch(name::startsWith))
              .filter(name -> !name.equals(RunLock.NAME))
              .filter(name -> !name.startsWith("." + CHECKPOINT) && !name.equals(COMPARED))
              .filter(name -> !CHECKPOINT_NAME.matcher(name).matches())
              .filter(name -> !name.startsWith(DAMAGED))
              .filter(name -> !name.equals(TrainingReport.METRICS))
              .filter(name -> !name.startsWith(TrainingReport.PAGE))
              .sorted()
              .limit(5)
              .toList();
      if (!others.isEmpty()) {
        throw new IOException(
            directory
                + ": a training run needs a directory of its own; this one has "
                + String.join(", ", others));
      }
    }
  }

  /** Where it is. */
  public Path path() {
    return path;
  }

  /** The file of the run's tokens or examples. */
  public Path tokens() {
    return TrainingData.file(path);
  }

  /** A directory for data that is compared with the run's; deleted at the next opening. */
  public Path compared() {
    return path.resolve(COMPARED);
  }

  /**
   * SHA-256 of the file of tokens or examples in a directory.
   *
   * @param directory of a run, or {@link #compared()}
   */
  public static String tokensDigest(Path directory) throws IOException {
    return Sha256Sums.of(TrainingData.file(directory));
  }

  /** Puts the data that was compared in the place of the run's. */
  public void takeCompared() throws IOException {
    Path compared = TrainingData.file(compared());
    Path replaced = tokens();
    Path taken = path.resolve(compared.getFileName());
    AtomicDirectory.move(compared, taken);
    if (!replaced.equals(taken)) { // texts instead of examples, or the other way round
      Files.delete(replaced);
    }
    AtomicDirectory.forceDirectory(path);
  }

  /**
   * The newest checkpoint of which every file is as it was written. Damaged ones that are newer are
   * renamed, and the log says so.
   *
   * @throws IOException if there is none
   */
  public SavedCheckpoint newest() throws IOException {
    List<String> faults = new ArrayList<>();
    for (Path checkpoint : checkpoints()) {
      try {
        Sha256Sums.verify(checkpoint);
      } catch (InvalidFileException e) {
        LOG.warn("{} is damaged and passed over: {}", checkpoint.getFileName(), e.getMessage());
        faults.add(e.getMessage());
        setAside(checkpoint);
        continue;
      }
      ConfigFile config = ConfigFile.read(checkpoint);
      TrainerStateFile state = TrainerStateFile.read(checkpoint, path, config.shape());
      return new SavedCheckpoint(checkpoint, state.settings(), state.progress());
    }
    throw new IOException(
        path
            + (faults.isEmpty()
                ? ": the run was stopped before its first checkpoint; train anew"
                : ": every checkpoint is damaged; " + String.join("; ", faults)));
  }

  /** Renames a damaged one, so that it no longer counts. */
  private void setAside(Path checkpoint) throws IOException {
    Path aside = path.resolve(DAMAGED + checkpoint.getFileName());
    AtomicDirectory.deleteTree(aside);
    AtomicDirectory.move(checkpoint, aside);
  }

  /**
   * Writes a checkpoint, whole or not at all, and then removes the oldest that need not stay.
   *
   * @throws IOException if it cannot be written; those that there are stay
   */
  public void keep(Checkpoint checkpoint) throws IOException {
    long start = System.nanoTime();
    CheckpointEvent event = CheckpointEvent.begun();
    long step = checkpoint.state().progress().step();
    String name = String.format(Locale.ROOT, CHECKPOINT + "%06d", step);
    // Interrupting the training's thread ends the training in good order, but would close files.
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try {
          new AtomicDirectory(path.resolve(name), checkpoint).replace();
          break;
        } catch (IOException e) {
          if (Thread.interrupted()) { // perhaps of that, by one of several exceptions
            interrupted = true;
            continue;
          }
          throw new IOException(
              String.format(
                  Locale.ROOT,
                  "%s cannot be written: %s; %s",
                  path.resolve(name),
                  e instanceof FileSystemException ? e.toString() : e.getMessage(),
                  checkpoints().isEmpty()
                      ? "there is none before it"
                      : "those before it are as they were"),
              e);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    event.end(step, path.resolve(name));
    LOG.info("{} written in {} ms", name, (System.nanoTime() - start) / 1_000_000);
    removeOld(checkpoint.settings().checkpoints().keep());
  }

  private void removeOld(int keep) {
    try {
      List<Path> newestFirst = checkpoints();
      for (Path old : newestFirst.subList(Math.min(keep, newestFirst.size()), newestFirst.size())) {
        AtomicDirectory.delete(old);
      }
    } catch (IOException e) {
      LOG.warn("an old checkpoint in {} could not be removed: {}", path, e.toString());
    }
  }

  /** Newest first. */
  private List<Path> checkpoints() throws IOException {
    try (Stream<Path> entries = Files.list(path)) {
      return entries
          .filter(entry -> CHECKPOINT_NAME.matcher(entry.getFileName().toString()).matches())
          .filter(entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS))
          .sorted(Comparator.comparingLong(RunDirectory::step).reversed())
          .toList();
    }
  }

  private static long step(Path checkpoint) {
    Matcher name = CHECKPOINT_NAME.matcher(checkpoint.getFileName().toString());
    return name.matches() ? Long.parseLong(name.group(1)) : -1;
  }

  /** Unlocks it; closing twice is fine. */
  @Override
  public void close() throws IOException {
    lock.close();
  }
}
