package dev.spatz.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.ExitCode;

class BenchCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    return Main.run(new PrintWriter(out), new PrintWriter(err), arguments);
  }

  @Test
  void tokenize_ofAFile_printsALineAMeasurement(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("text.txt"), "one two three ".repeat(20));
    assertEquals(ExitCode.OK, run("bench", "tokenize", file.toString(), "--threads", "1"));
    List<String> lines = out.toString().lines().toList();
    assertEquals(2, lines.size());
    assertTrue(lines.get(0).startsWith("learn "), lines.get(0));
    assertTrue(lines.get(1).startsWith("encode "), lines.get(1));
  }

  @Test
  void bench_withoutACommand_isRefused() {
    assertRefused("Missing required subcommand", "bench");
  }

  @Test
  void preset_unknown_isRefused() {
    assertRefused("'--preset'", "bench", "decode", "--preset", "huge");
  }

  @Test
  void steps_ofZero_areRefused() {
    assertRefused("steps (0) must be at least 1", "bench", "train", "--steps", "0");
  }

  private void assertRefused(String said, String... arguments) {
    assertEquals(ExitCode.USAGE, run(arguments));
    assertEquals("", out.toString());
    assertTrue(err.toString().contains(said), err::toString);
  }
}
