package dev.spatz.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Replaces a directory by a new one as a whole, so that a process killed at any moment leaves the
 * old one, or the new one, and never a mixture.
 *
 * <p>The new directory is written beside, as {@code .NAME.spatz-tmp-…}, and forced to the disk; the
 * old one is moved to {@code .NAME.spatz-old}; the new one takes its name; the old one is deleted.
 * Between the two moves there is no directory of the name: {@link #recover} then moves the old one
 * back.
 */
final class AtomicDirectory {
  /** Locked as long as its directory is being written, which tells a live one from a left one. */
  static final String LOCK = "saving.lock";

  private static final String OLD = ".spatz-old";
  private static final String FRESH = ".spatz-tmp-";
  private static final String TRASH = ".spatz-trash-";

  private final Path target;
  private final Path old;
  private final Path fresh;
  private final Content content;
  private @Nullable FileChannel lock;

  /** What the directory holds. */
  interface Content {
    /** Refuses, by an exception, to lose an existing directory. */
    void requireReplaceable(Path existing) throws IOException;

    /** Writes the files of the new directory, which exists and has no file of theirs. */
    void writeTo(Path directory) throws IOException;
  }

  /** A part of the replacement; a killed process has run the first few. */
  interface Step {
    void run() throws IOException;
  }

  AtomicDirectory(Path target, Content content) throws IOException {
    this.target = resolve(target);
    this.old = beside(this.target, OLD);
    this.fresh = beside(this.target, FRESH + UUID.randomUUID());
    this.content = content;
  }

  /** Replaces the directory, or makes it where there is none. */
  void replace() throws IOException {
    try {
      for (Step step : steps()) {
        step.run();
      }
    } catch (Throwable e) {
      try {
        abandon();
        deleteTree(fresh);
        recover(target);
      } catch (IOException f) {
        e.addSuppressed(f);
      }
      throw e;
    }
  }

  List<Step> steps() {
    return List.of(
        this::createParent,
        () -> recover(target),
        () -> content.requireReplaceable(target),
        this::clean,
        this::create,
        () -> content.writeTo(fresh),
        this::force,
        this::unlock,
        this::moveOldAside,
        () -> move(fresh, target),
        () -> forceDirectory(parent(target)),
        () -> deleteTree(old));
  }

  /**
   * Undoes a replacement that was stopped between its moves: where there is no directory of the
   * name, or an empty one, the old one gets its name back.
   *
   * @param directory as the user names it
   */
  static void recover(Path directory) throws IOException {
    Path target = resolve(directory);
    Path old = beside(target, OLD);
    if (Files.isDirectory(old) && isAbsentOrEmpty(target)) {
      Files.deleteIfExists(target);
      move(old, target);
      forceDirectory(parent(target));
    }
  }

  /**
   * Undoes or deletes all that killed processes have left of directories in a parent whose names
   * begin so. Nobody else writes any meanwhile.
   */
  static void recoverAll(Path parent, String start) throws IOException {
    for (Path left : entries(parent, "." + start)) {
      String name = left.getFileName().toString();
      if (name.endsWith(OLD)) {
        recover(parent.resolve(name.substring(1, name.length() - OLD.length())));
      }
    }
    for (Path left : entries(parent, "." + start)) {
      deleteTree(left);
    }
  }

  /** Deletes a directory: after a kill at any moment it is there whole, or not at all. */
  static void delete(Path directory) throws IOException {
    Path trash = beside(directory, TRASH + UUID.randomUUID());
    move(directory, trash);
    deleteTree(trash);
  }

  /** Whether there is nothing of this name, or a directory without entries. */
  static boolean isAbsentOrEmpty(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return !Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries.findAny().isEmpty();
    }
  }

  /** The directory itself: absolute, and what a symbolic link leads to. */
  static Path resolve(Path directory) throws IOException {
    Path path = directory;
    // A chain of links that is a circle ends with the file system's own error later.
    for (int links = 0; links < 40 && Files.isSymbolicLink(path); links++) {
      path = path.resolveSibling(Files.readSymbolicLink(path));
    }
    path = path.toAbsolutePath().normalize();
    if (path.getFileName() == null) {
      throw new IllegalArgumentException(
          directory + " is the root of a file system; name a directory in it");
    }
    return path;
  }

  // ---- steps ----

  private void createParent() throws IOException {
    // A link to a directory is one, but createDirectories refuses it on older versions of Java.
    if (!Files.isDirectory(parent(target))) {
      Files.createDirectories(parent(target));
    }
  }

  /** Deletes what killed processes have left. */
  private void clean() throws IOException {
    if (!isAbsentOrEmpty(target)) {
      deleteTree(old);
    }
    for (Path left : besides(TRASH)) {
      deleteTree(left);
    }
    for (Path left : besides(FRESH)) {
      if (!isLocked(left.resolve(LOCK))) {
        // Moved before it is deleted: should it be alive after all, its move fails and loses
        // nothing, where deleting could take some of its files only.
        Path trash = beside(target, TRASH + UUID.randomUUID());
        move(left, trash);
        deleteTree(trash);
      }
    }
  }

  private void create() throws IOException {
    Files.createDirectory(fresh);
    lock =
        FileChannel.open(
            fresh.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    lock.lock();
  }

  /** Makes the files durable; the lock is not opened again, since closing it would unlock it. */
  private void force() throws IOException {
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(fresh, file -> !file.endsWith(LOCK))) {
      for (Path file : files) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.force(true);
        }
      }
    }
  }

  private void unlock() throws IOException {
    abandon();
    Files.delete(fresh.resolve(LOCK));
    forceDirectory(fresh);
  }

  private void moveOldAside() throws IOException {
    // Once more: writing took its time, and somebody may have put a file there meanwhile.
    content.requireReplaceable(target);
    if (Files.exists(target)) {
      move(target, old);
    }
  }

  /** Gives up the lock, as the end of the process would. */
  void abandon() throws IOException {
    if (lock != null) {
      lock.close();
    }
  }

  // ---- files ----

  private List<Path> besides(String kind) throws IOException {
    return entries(parent(target), beside(target, kind).getFileName().toString());
  }

  private static List<Path> entries(Path parent, String start) throws IOException {
    try (Stream<Path> entries = Files.list(parent)) {
      return entries.filter(path -> path.getFileName().toString().startsWith(start)).toList();
    }
  }

  private static boolean isLocked(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE);
        FileLock free = channel.tryLock()) {
      return free == null;
    } catch (OverlappingFileLockException e) {
      return true;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static Path parent(Path target) {
    Path parent = target.getParent();
    return parent == null ? target : parent;
  }

  private static Path beside(Path target, String suffix) {
    return target.resolveSibling("." + target.getFileName() + suffix);
  }

  static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Makes the entries of a directory durable; Windows has no such call, and needs none. */
  static void forceDirectory(Path directory) throws IOException {
    if (directory.getFileSystem().getSeparator().equals("/")) {
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  static void deleteTree(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(directory)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : paths) {
      Files.deleteIfExists(path);
    }
  }
}
