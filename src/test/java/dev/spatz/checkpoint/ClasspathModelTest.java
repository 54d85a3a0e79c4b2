package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.LanguageModel;
import dev.spatz.transformer.Transformer;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

final class ClasspathModelTest {
  @TempDir Path directory;
  private Path model;

  @BeforeEach
  void save() throws IOException {
    model = directory.resolve("classes/models/verses");
    Examples.save(model, Examples.llama());
  }

  private URLClassLoader jar() throws IOException {
    Path jar = directory.resolve("verses.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream entries = new JarOutputStream(out);
        Stream<Path> files = Files.list(model)) {
      for (Path file : files.toList()) {
        entries.putNextEntry(new JarEntry("models/verses/" + file.getFileName()));
        Files.copy(file, entries);
      }
    }
    return loader(jar);
  }

  private static URLClassLoader loader(Path path) throws IOException {
    return new URLClassLoader(new URL[] {path.toUri().toURL()}, null);
  }

  private static void assertLoads(ClassLoader loader, String name) throws IOException {
    try (LoadedModel loaded = ClasspathModel.load(loader, name, ModelDirectory::load);
        Transformer expected = Examples.random(Examples.llama(), DataType.FLOAT)) {
      assertArrayEquals(Examples.weights(expected), Examples.weights(loaded.transformer()));
      assertEquals(Examples.PROVENANCE, loaded.provenance());
    }
  }

  private static List<Path> temporary() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files.filter(file -> file.getFileName().toString().contains("spatz-model-")).toList();
    }
  }

  @Test
  void modelInAJar_isLoaded() throws IOException {
    try (URLClassLoader loader = jar()) {
      assertLoads(loader, "models/verses");
      assertLoads(loader, "/models/verses/");
      assertEquals(List.of(), temporary());
    }
  }

  @Test
  void modelInADirectory_isLoaded() throws IOException {
    try (URLClassLoader loader = loader(directory.resolve("classes"))) {
      assertLoads(loader, "models/verses");
    }
  }

  @Test
  void modelInShards_isLoaded() throws IOException {
    Files.move(model.resolve(TensorFiles.SINGLE), model.resolve("model-1-of-1.safetensors"));
    StringBuilder map = new StringBuilder();
    try (SafetensorsFile file = SafetensorsFile.open(model.resolve("model-1-of-1.safetensors"))) {
      for (String tensor : file.names()) {
        map.append(map.isEmpty() ? "" : ",");
        map.append('"').append(tensor).append("\":\"model-1-of-1.safetensors\"");
      }
    }
    Files.writeString(model.resolve(TensorFiles.INDEX), "{\"weight_map\":{" + map + "}}");
    try (URLClassLoader loader = jar()) {
      assertLoads(loader, "models/verses");
    }
  }

  @Test
  void threadsClassLoader_isAsked() throws IOException {
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    try (URLClassLoader loader = jar()) {
      Thread.currentThread().setContextClassLoader(loader);
      try (LanguageModel loaded = LanguageModel.loadFromClasspath("models/verses")) {
        assertEquals(Examples.llama(), loaded.config());
      }
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  @Test
  void absentDirectory_isNamed() throws IOException {
    try (URLClassLoader loader = jar()) {
      String message =
          assertThrows(
                  FileNotFoundException.class,
                  () -> ClasspathModel.load(loader, "models/prose", ModelDirectory::load))
              .getMessage();
      assertTrue(message.startsWith("models/prose: "), message);
    }
  }
}
