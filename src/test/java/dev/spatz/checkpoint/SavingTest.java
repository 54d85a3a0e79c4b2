package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Saving replaces a model as a whole, and nothing but a model. */
class SavingTest {
  /** Places of the steps in {@link AtomicDirectory#steps()}; the order is the contract. */
  private static final int STEPS = 12;

  private static final int WITH_NEW_IN_PLACE = 10;

  @TempDir Path parent;
  private Path directory;

  @BeforeEach
  void nameDirectory() {
    directory = parent.resolve("model");
  }

  // ---- a process killed between two steps ----

  static IntStream killed() {
    return IntStream.rangeClosed(0, STEPS);
  }

  @ParameterizedTest
  @MethodSource("killed")
  void save_killedAfterSteps_leavesOneOfBothModels(int steps) throws IOException {
    Examples.save(directory, Examples.llama());
    saveAndDie(steps);
    int layers = steps < WITH_NEW_IN_PLACE ? 2 : 3;
    assertEquals(layers, loadedLayers());
    assertEquals(layers, loadedLayers());
    Examples.save(directory, Examples.llama());
    assertEquals(2, loadedLayers());
    assertEquals(List.of("model"), entries(parent));
  }

  @ParameterizedTest
  @MethodSource("killed")
  void save_killedAfterSteps_canBeRepeatedAtOnce(int steps) throws IOException {
    Examples.save(directory, Examples.llama());
    saveAndDie(steps);
    saveAndDie(STEPS);
    assertEquals(3, loadedLayers());
    assertEquals(List.of("model"), entries(parent));
  }

  @ParameterizedTest
  @MethodSource("killed")
  void firstSave_killedAfterSteps_leavesTheModelOrNone(int steps) throws IOException {
    saveAndDie(steps);
    if (steps < WITH_NEW_IN_PLACE) {
      assertThrows(IOException.class, this::loadedLayers);
    } else {
      assertEquals(3, loadedLayers());
    }
    saveAndDie(STEPS);
    assertEquals(3, loadedLayers());
    assertEquals(List.of("model"), entries(parent));
  }

  @Test
  void save_killedBetweenTheMoves_hasNoDirectoryOfTheName() throws IOException {
    Examples.save(directory, Examples.llama());
    saveAndDie(WITH_NEW_IN_PLACE - 1);
    assertTrue(Files.notExists(directory));
    assertTrue(entries(parent).contains(".model.spatz-old"));
    // Somebody makes the directory before the next load: the old model still comes back.
    Files.createDirectory(directory);
    assertEquals(2, loadedLayers());
  }

  @Test
  void save_thatFails_leavesTheOldModelAndNothingElse() throws IOException {
    Examples.save(directory, Examples.llama());
    AtomicDirectory.Content broken =
        new AtomicDirectory.Content() {
          @Override
          public void requireReplaceable(Path existing) {}

          @Override
          public void writeTo(Path fresh) throws IOException {
            Files.writeString(fresh.resolve("config.json"), "{");
            throw new IOException("no space left");
          }
        };
    IOException e =
        assertThrows(IOException.class, () -> new AtomicDirectory(directory, broken).replace());
    assertEquals("no space left", e.getMessage());
    assertEquals(2, loadedLayers());
    assertEquals(List.of("model"), entries(parent));
  }

  @Test
  void file_putIntoTheDirectoryWhileSaving_isNotLost() throws IOException {
    Examples.save(directory, Examples.llama());
    Path precious = directory.resolve("precious.txt");
    try (Transformer transformer = Examples.random(Examples.threeLayers(), DataType.FLOAT)) {
      ModelDirectory.Model model =
          new ModelDirectory.Model(transformer, Examples.CHARACTERS, null, TextConventions.NONE);
      AtomicDirectory.Content disturbed =
          new AtomicDirectory.Content() {
            @Override
            public void requireReplaceable(Path existing) throws IOException {
              model.requireReplaceable(existing);
            }

            @Override
            public void writeTo(Path fresh) throws IOException {
              model.writeTo(fresh);
              Files.writeString(precious, "mine");
            }
          };
      AtomicDirectory saving = new AtomicDirectory(directory, disturbed);
      assertThrows(InvalidFileException.class, saving::replace);
    }
    assertEquals("mine", Files.readString(precious));
    assertEquals(2, loadedLayers());
    assertEquals(List.of("model"), entries(parent));
  }

  @Test
  void save_besideALiveOne_leavesItsFilesAlone() throws IOException {
    Path live = Files.createDirectory(parent.resolve(".model.spatz-tmp-live"));
    Path lock = live.resolve("saving.lock");
    try (FileChannel channel =
        FileChannel.open(lock, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.lock();
      Examples.save(directory, Examples.llama());
      assertEquals(List.of(".model.spatz-tmp-live", "model"), entries(parent));
    }
    Examples.save(directory, Examples.llama());
    assertEquals(List.of("model"), entries(parent));
  }

  // ---- what is replaced ----

  @Test
  void parents_absent_areMade() throws IOException {
    Path deep = parent.resolve("a/b/model");
    Examples.save(deep, Examples.llama());
    ModelDirectory.load(deep).close();
  }

  @Test
  void directory_empty_isReplaced() throws IOException {
    Files.createDirectory(directory);
    Examples.save(directory, Examples.llama());
    assertEquals(2, loadedLayers());
  }

  @Test
  void link_toADirectory_isFollowed() throws IOException {
    Path link = Files.createSymbolicLink(parent.resolve("link"), Path.of("model"));
    Examples.save(link, Examples.llama());
    assertEquals(2, loadedLayers());
    Examples.save(link, Examples.llama().withKeyValueHeads(1));
    assertTrue(Files.isSymbolicLink(link));
    assertEquals(List.of("link", "model"), entries(parent));
    ModelDirectory.load(link).close();
  }

  @Test
  void directory_withOtherFiles_isRefused() throws IOException {
    Examples.save(directory, Examples.llama());
    Files.writeString(directory.resolve("thesis.tex"), "years of work");
    assertNotReplaced("files that are not this library's, such as thesis.tex");
    assertEquals(2, loadedLayers());
  }

  @Test
  void directory_withOnlyFilesOfOurNames_isRefusedIfItIsNoModel() throws IOException {
    Files.createDirectory(directory);
    Files.writeString(directory.resolve("README.md"), "my project");
    assertNotReplaced("there is no sign that it was saved by this library");
    Files.writeString(directory.resolve("config.json"), "{\"spatz\":{}}");
    assertNotReplaced("there is no sign that it was saved by this library");
    Files.writeString(directory.resolve("config.json"), "{}");
    Files.writeString(directory.resolve("model.safetensors"), "");
    assertNotReplaced("there is no sign that it was saved by this library");
    Files.writeString(directory.resolve("config.json"), "{");
    assertNotReplaced("the file is not JSON");
    assertEquals("my project", Files.readString(directory.resolve("README.md")));
  }

  @Test
  void file_isNotReplaced() throws IOException {
    Files.writeString(directory, "precious");
    assertThrows(NotDirectoryException.class, () -> Examples.save(directory, Examples.llama()));
    assertEquals("precious", Files.readString(directory));
  }

  @Test
  void root_isNotReplaced() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Examples.save(parent.getRoot(), Examples.llama()));
    assertTrue(e.getMessage().contains("the root of a file system"));
  }

  private void assertNotReplaced(String fault) throws IOException {
    List<String> before = entries(directory);
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> Examples.save(directory, Examples.llama()));
    assertTrue(e.getMessage().contains(fault), e.getMessage());
    assertEquals(before, entries(directory));
    assertEquals(List.of("model"), entries(parent));
  }

  /** Runs the first steps of saving a model of three layers, and drops the lock as a kill does. */
  private void saveAndDie(int steps) throws IOException {
    try (Transformer transformer = Examples.random(Examples.threeLayers(), DataType.FLOAT)) {
      ModelDirectory.Model model =
          new ModelDirectory.Model(
              transformer, Examples.CHARACTERS, Examples.PROVENANCE, TextConventions.NONE);
      AtomicDirectory saving = new AtomicDirectory(directory, model);
      assertEquals(STEPS, saving.steps().size());
      for (AtomicDirectory.Step step : saving.steps().subList(0, steps)) {
        step.run();
      }
      saving.abandon();
    }
  }

  private int loadedLayers() throws IOException {
    try (LoadedModel loaded = ModelDirectory.load(directory)) {
      return loaded.transformer().config().layers();
    }
  }

  private static List<String> entries(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }
}
