package dev.spatz.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.spatz.LanguageModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A JVM that is told to end while it trains. */
final class ShutdownTest {
  private static final Pattern STEPS_DONE = Pattern.compile("step [1-9].*loss.*");

  @TempDir Path directory;

  @Test
  void termination_savesWhatThereIs() throws IOException, InterruptedException {
    Path model = directory.resolve("model");
    Process process = train(model, 500);
    assumeTrue(process.supportsNormalTermination(), "this system only kills");
    List<String> lines = new ArrayList<>();
    try (BufferedReader errors = process.errorReader(StandardCharsets.UTF_8)) {
      for (String line = errors.readLine(); line != null; line = errors.readLine()) {
        lines.add(line);
        if (STEPS_DONE.matcher(line).matches() && process.isAlive()) {
          process.toHandle().destroy(); // on Unix TERM: it runs the same hooks as Ctrl-C
        }
      }
      assertNotEquals(0, process.waitFor(), lines.toString());
    } finally {
      process.destroyForcibly();
    }
    assertTrue(lines.contains("saved in " + model), lines.toString());
    try (LanguageModel loaded = LanguageModel.load(model)) {
      assertTrue(
          loaded.provenance().orElseThrow().configuration().containsValue("CANCELLED"),
          "the model says that its training was stopped");
    }
  }

  @Test
  void terminationBeforeTraining_savesNothing() throws IOException, InterruptedException {
    Path model = directory.resolve("model");
    Process process = train(model, 1_000_000); // is read for longer than the process is told to end
    assumeTrue(process.supportsNormalTermination(), "this system only kills");
    List<String> lines = new ArrayList<>();
    try (BufferedReader errors = process.errorReader(StandardCharsets.UTF_8)) {
      for (String line = errors.readLine(); line != null; line = errors.readLine()) {
        lines.add(line);
        if (line.startsWith("tokenizing ")) {
          process.toHandle().destroy();
        }
      }
      assertNotEquals(0, process.waitFor(), lines.toString());
    } finally {
      process.destroyForcibly();
    }
    assertTrue(lines.contains("stopping ..."), lines.toString());
    assertTrue(lines.contains("stopped before the first step: nothing is saved"), lines.toString());
    assertFalse(Files.exists(model));
  }

  private Process train(Path model, int sentences) throws IOException {
    Path text =
        Files.writeString(
            directory.resolve("text.txt"), "A sparrow in the hand sings.\n".repeat(sentences));
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "train",
            text.toString(),
            "--out",
            model.toString(),
            "--steps",
            "1000000")
        .start();
  }
}
