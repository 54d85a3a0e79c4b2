package dev.spatz.cli;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stopping and resuming as the README shows it. */
final class ResumeCommandTest {
  @TempDir Path directory;
  private Path text;
  private Path run;
  private Path out;

  @BeforeEach
  void write() throws IOException {
    text =
        Files.writeString(
            directory.resolve("text.txt"), "A sparrow in the hand sings on the roof.\n".repeat(50));
    run = directory.resolve("run");
    out = directory.resolve("model");
  }

  private static String succeed(Object... arguments) {
    return answer(0, arguments);
  }

  private static String answer(int exit, Object... arguments) {
    StringWriter err = new StringWriter();
    String[] texts = Arrays.stream(arguments).map(Object::toString).toArray(String[]::new);
    int code = Main.run(new PrintWriter(new StringWriter()), new PrintWriter(err), texts);
    assertEquals(exit, code, err.toString());
    return err.toString();
  }

  private static byte[] weights(Path model) throws IOException {
    return Files.readAllBytes(model.resolve("model.safetensors"));
  }

  @Test
  void run_thatIsToldToEnd_isResumed() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "train",
                text.toString(),
                "--out",
                out.toString(),
                "--steps",
                "600",
                "--checkpoints",
                run.toString())
            .start();
    assumeTrue(process.supportsNormalTermination(), "this system only kills");
    List<String> lines = new ArrayList<>();
    try (BufferedReader errors = process.errorReader(StandardCharsets.UTF_8)) {
      for (String line = errors.readLine(); line != null; line = errors.readLine()) {
        lines.add(line);
        if (line.matches("step [1-9].*loss.*") && process.isAlive()) {
          process.toHandle().destroy();
        }
      }
      assertNotEquals(0, process.waitFor(), lines.toString());
    } finally {
      process.destroyForcibly();
    }
    assertTrue(lines.contains("train --resume " + run + " goes on"), lines.toString());
    long done;
    try (var entries = Files.list(run)) {
      done =
          entries
              .map(entry -> entry.getFileName().toString())
              .filter(name -> name.startsWith("checkpoint-"))
              .mapToLong(name -> Long.parseLong(name.substring("checkpoint-".length())))
              .max()
              .orElseThrow();
    }
    long steps = Math.max(30, done + 1); // the warm-up alone has 30
    String resumed = succeed("train", "--resume", run, "--steps", steps, "--out", out);
    assertTrue(
        resumed.contains("going on after step " + ProgressLine.format("%,d", done)), resumed);
    assertTrue(resumed.contains("saved in " + out), resumed);
  }

  @Test
  void run_isResumedByItsOwnCommandLine_butNotByAnother() throws IOException {
    Path whole = directory.resolve("whole");
    succeed("train", text, "--steps", 2, "--out", whole);
    succeed(
        "train",
        text,
        "--steps",
        2,
        "--out",
        out,
        "--checkpoints",
        run,
        "--checkpoint-every",
        1,
        "--checkpoint-minutes",
        1,
        "--keep",
        1);
    assertArrayEquals(weights(whole), weights(out));
    String again = answer(1, "train", text, "--steps", 2, "--out", out, "--checkpoints", run);
    assertTrue(again.contains("has a training run already; resume it"), again);

    succeed("train", "--resume", run, text, "--steps", 2, "--out", out);
    assertArrayEquals(weights(whole), weights(out));
    String other =
        answer(2, "train", "--resume", run, text, "--steps", 2, "--seed", 9, "--out", out);
    assertTrue(other.contains("seed was 1, is 9"), other);
    succeed(
        "train", "--resume", run, text, "--steps", 3, "--seed", 9, "--allow-changes", "--out", out);
    String alone = answer(2, "train", "--resume", run, "--seed", 9, "--out", out);
    assertTrue(alone.contains("a run is resumed with its own settings"), alone);
  }

  @Test
  void adapterTaughtByPreferences_isResumed() throws IOException {
    Path model = directory.resolve("base");
    succeed("train", text, "--steps", 2, "--out", model);
    Path pairs = directory.resolve("pairs.jsonl");
    String pair = "{\"prompt\": \"Was?\", \"chosen\": \"Spatz %d\", \"rejected\": \"Taube\"}";
    Files.writeString(
        pairs, IntStream.range(0, 30).mapToObj(pair::formatted).collect(joining("\n")));
    Object[] settings = {"finetune", model, pairs, "--preferences", "--lora", "--lora-rank", 2};
    Path whole = directory.resolve("whole");
    succeed(with(settings, "--steps", 3, "--out", whole));
    succeed(with(settings, "--steps", 2, "--out", out, "--checkpoints", run));

    Object[] alone = {"finetune", model, "--lora", "--resume", run, "--out", out};
    String answer = answer(2, with(alone, "--lora-rank", 2));
    assertTrue(answer.contains("a run is resumed with its own settings"), answer);
    Path other = directory.resolve("other");
    answer = answer(2, "finetune", model, "--resume", run, "--out", other);
    assertTrue(answer.contains("the run trains an adapter"), answer);
    answer = answer(2, with(settings, "--beta", 1, "--steps", 2, "--resume", run, "--out", out));
    assertTrue(answer.contains("PreferenceConfig[beta=1.0"), answer);
    Object[] again = with(settings, "--steps", 2, "--resume", run, "--out", out);
    assertTrue(succeed(again).contains("resuming " + run));
    assertTrue(succeed(alone).contains("saved in " + out));

    Path three = directory.resolve("three");
    succeed(with(settings, "--steps", 3, "--out", out, "--checkpoints", three));
    succeed("finetune", model, "--lora", "--resume", three, "--out", out);
    assertArrayEquals(adapter(whole), adapter(out));
  }

  private static Object[] with(Object[] arguments, Object... more) {
    return Stream.concat(Stream.of(arguments), Stream.of(more)).toArray();
  }

  /** The bytes but for their metadata, which has a date. */
  private static byte[] adapter(Path directory) throws IOException {
    byte[] bytes = Files.readAllBytes(directory.resolve("adapter_model.safetensors"));
    int header = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return Arrays.copyOfRange(bytes, Long.BYTES + header, bytes.length);
  }

  @Test
  void directoryWithoutARun_isNamed() {
    String answer = answer(1, "train", "--resume", run, "--out", out);
    assertTrue(answer.contains(run + ": there is no training run in it to resume"), answer);
    assertTrue(answer(2, "train", "--out", out).contains("or a run to --resume"));
    answer(2, "train", "--resume", run, "--keep", 2, "--out", out);
  }
}
