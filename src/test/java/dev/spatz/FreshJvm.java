package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A JVM of its own for a test: with a heap of another size, or where the garbage of other tests
 * does not disturb what is counted.
 */
public final class FreshJvm {
  private FreshJvm() {}

  /** Runs a main class that must end well; gives the lines that it prints. */
  public static List<String> run(String heap, Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(List.of("-Xmx" + heap, "-cp", System.getProperty("java.class.path")));
    command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    command.add(main.getName());
    command.addAll(List.of(arguments));
    // Apart from the output, since newer JVMs write warnings about native access there.
    Path errors = Files.createTempFile("fresh-jvm", ".txt");
    try {
      Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), output + Files.readString(errors));
      return output.lines().toList();
    } finally {
      Files.delete(errors);
    }
  }

  /** Bytes off the heap that ND4J and JavaCPP have allocated, by their own counts. */
  public static long offHeap() {
    return Nd4j.getEnvironment().getDeviceCouner(0) + Pointer.totalBytes();
  }
}
