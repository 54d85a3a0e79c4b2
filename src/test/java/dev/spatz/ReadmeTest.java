package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compiles and runs the README's Java, block after block in one directory, each in a JVM of its
 * own.
 */
final class ReadmeTest {
  private static final Pattern JAVA = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);
  private static final String DEFAULTS = "TrainingConfig.defaults()";
  private static final String CLASS_PATH = System.getProperty("java.class.path");
  private static final int MINUTES = 5;

  @TempDir Path directory;

  @Test
  void snippets_compileAndRun() throws Exception {
    Files.writeString(directory.resolve("corpus.txt"), corpus());
    Matcher blocks = JAVA.matcher(Files.readString(Path.of("README.md")));
    int count = 0;
    while (blocks.find()) {
      String name = "Snippet" + ++count;
      Path source = directory.resolve(name + ".java");
      // The defaults train for minutes; that is measured elsewhere.
      String block = blocks.group(1).replace(DEFAULTS, DEFAULTS + ".withSteps(3)");
      Files.writeString(source, program(name, block));
      compile(source);
      run(name);
    }
    assertTrue(count > 0, "README.md has no Java block");
  }

  /** The block's imports, then a class whose main method is the rest. */
  private static String program(String name, String block) {
    String imports =
        block.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
    String body =
        block.lines().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
    return """
    %s

    public class %s {
      public static void main(String[] arguments) throws Exception {
        %s
      }
    }
    """
        .formatted(imports, name, body);
  }

  private void compile(Path source) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter output = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options = List.of("-proc:none", "-cp", CLASS_PATH, "-d", directory.toString());
      boolean compiled =
          compiler
              .getTask(output, files, null, options, null, files.getJavaFileObjects(source))
              .call();
      assertTrue(compiled, () -> output + "\n" + source);
    }
  }

  private void run(String name) throws IOException, InterruptedException {
    Path output = directory.resolve(name + ".log");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    command.addAll(List.of("-cp", directory + System.getProperty("path.separator") + CLASS_PATH));
    command.add(name);
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      fail(name + " runs for more than " + MINUTES + " minutes:\n" + Files.readString(output));
    }
    String printed = Files.readString(output);
    assertEquals(0, process.exitValue(), () -> name + " failed:\n" + printed);
  }

  /** Sentences by a small grammar; the same ones each time. */
  private static String corpus() {
    List<String> who = List.of("A sparrow", "The pigeon", "My aunt", "A tired miller", "The cat");
    List<String> does = List.of("sees", "follows", "forgets", "remembers", "sings to");
    List<String> what = List.of("the roof", "a seed", "the old mill", "its shadow", "the rain");
    Random random = new Random(1);
    StringBuilder text = new StringBuilder();
    for (int sentence = 0; sentence < 2000; sentence++) {
      for (List<String> words : List.of(who, does, what)) {
        text.append(words.get(random.nextInt(words.size()))).append(words == what ? ".\n" : " ");
      }
    }
    return text.toString();
  }
}
