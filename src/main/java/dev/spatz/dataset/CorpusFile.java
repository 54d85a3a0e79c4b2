package dev.spatz.dataset;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A file of a corpus and how its documents are found in it. */
record CorpusFile(Path path, Format format) {

  enum Format {
    /** The file is one document. */
    TEXT,
    /** One JSON object a line, each a document. */
    JSON_LINES,
    /** Comma-separated values; each record after the first is a document. */
    CSV
  }

  private static final Logger LOG = LoggerFactory.getLogger(CorpusFile.class);

  /** The files that are taken from a directory. A file that is named itself may end otherwise. */
  private static final Map<String, Format> EXTENSIONS =
      Map.of(
          "txt", Format.TEXT,
          "text", Format.TEXT,
          "md", Format.TEXT,
          "jsonl", Format.JSON_LINES,
          "csv", Format.CSV);

  /** The files of a corpus: each path itself, or in its place the text files in that directory. */
  static List<CorpusFile> find(List<Path> paths) throws IOException {
    List<CorpusFile> files = new ArrayList<>();
    for (Path path : paths) {
      if (Files.isDirectory(path)) {
        files.addAll(inDirectory(path));
      } else if (Files.exists(path)) {
        files.add(new CorpusFile(path, EXTENSIONS.getOrDefault(extension(path), Format.TEXT)));
      } else {
        throw new NoSuchFileException(path.toString(), null, "no such corpus file or directory");
      }
    }
    return files;
  }

  private static List<CorpusFile> inDirectory(Path directory) throws IOException {
    List<Path> all = new ArrayList<>();
    Files.walkFileTree(
        directory,
        EnumSet.of(FileVisitOption.FOLLOW_LINKS),
        Integer.MAX_VALUE,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
            return !path.equals(directory) && isHidden(path)
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
            if (!isHidden(path)) {
              all.add(path);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    List<CorpusFile> files =
        all.stream()
            .filter(path -> EXTENSIONS.containsKey(extension(path)))
            .sorted(Comparator.comparing(path -> portableName(directory, path)))
            .map(path -> new CorpusFile(path, EXTENSIONS.get(extension(path))))
            .toList();
    if (files.isEmpty()) {
      throw new NoSuchFileException(
          directory.toString(), null, "the directory has no file that ends in " + extensions());
    }
    if (files.size() < all.size()) {
      LOG.info(
          "{}: {} files taken; {} others do not end in {}",
          directory,
          files.size(),
          all.size() - files.size(),
          extensions());
    }
    return files;
  }

  /** Sorts alike on every platform and in every locale. */
  private static String portableName(Path directory, Path path) {
    return directory.relativize(path).toString().replace('\\', '/');
  }

  private static boolean isHidden(Path path) {
    return fileName(path).startsWith(".");
  }

  private static String extension(Path path) {
    String name = fileName(path);
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "" : name.substring(dot + 1).toLowerCase(Locale.ROOT);
  }

  private static String fileName(Path path) {
    Path name = path.getFileName();
    return name == null ? "" : name.toString();
  }

  private static String extensions() {
    return String.join(", ", EXTENSIONS.keySet().stream().map(e -> "." + e).sorted().toList());
  }
}
