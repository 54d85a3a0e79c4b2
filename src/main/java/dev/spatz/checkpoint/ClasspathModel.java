package dev.spatz.checkpoint;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A model's directory among the resources of a class loader, such as in a jar. Its files are copied
 * into a temporary directory, from which the model is loaded, and which is then deleted.
 */
public final class ClasspathModel {
  private static final List<String> OPTIONAL =
      List.of(
          TokenizerFiles.TOKENIZER,
          TokenizerFiles.CONFIG,
          ChatTemplateFile.NAME,
          VocabularyFiles.VOCABULARY,
          VocabularyFiles.MERGES,
          GenerationConfigFile.NAME);

  private final ClassLoader loader;
  private final String directory;

  private ClasspathModel(ClassLoader loader, String directory) {
    this.loader = loader;
    this.directory = directory;
  }

  /** How a model is loaded from its directory, as {@link ModelDirectory} does. */
  public interface Loading {
    LoadedModel load(Path directory) throws IOException;
  }

  /**
   * Loads a model; the caller closes it.
   *
   * @param directory as names of resources have it, such as {@code models/verses}
   * @throws FileNotFoundException if there is no such directory with a {@code config.json}
   * @throws InvalidFileException if a file is broken, or asks for what is not implemented
   * @throws IOException if a file is absent or cannot be read
   */
  public static LoadedModel load(ClassLoader loader, String directory, Loading loading)
      throws IOException {
    return new ClasspathModel(loader, directory.replaceAll("^/+|/+$", "")).load(loading);
  }

  private LoadedModel load(Loading loading) throws IOException {
    URL config = loader.getResource(name(ConfigFile.NAME));
    if (config == null) {
      throw new FileNotFoundException(
          directory + ": no directory of this name on the class path has a " + ConfigFile.NAME);
    }
    if (config.getProtocol().equals("file")) {
      return loading.load(directoryOf(config));
    }
    Path copy = Files.createTempDirectory("spatz-model-");
    try {
      copyTo(copy);
      return loading.load(copy);
    } finally {
      delete(copy);
    }
  }

  private static Path directoryOf(URL config) throws IOException {
    try {
      return Path.of(config.toURI()).resolveSibling("");
    } catch (URISyntaxException e) {
      throw new IOException(config + " is no name of a file", e);
    }
  }

  private void copyTo(Path copy) throws IOException {
    copy(ConfigFile.NAME, copy);
    for (String name : OPTIONAL) {
      copy(name, copy);
    }
    if (!copy(TensorFiles.SINGLE, copy) && copy(TensorFiles.INDEX, copy)) {
      for (String shard : TensorFiles.shards(copy.resolve(TensorFiles.INDEX))) {
        copy(shard, copy);
      }
    }
  }

  /** Copies a file if it is there. */
  private boolean copy(String name, Path copy) throws IOException {
    try (InputStream in = loader.getResourceAsStream(name(name))) {
      if (in == null) {
        return false;
      }
      Files.copy(in, copy.resolve(name));
      return true;
    }
  }

  private String name(String file) {
    return directory.isEmpty() ? file : directory + "/" + file;
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
