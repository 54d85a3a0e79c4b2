package dev.spatz;

import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toMap;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Keeps the map of the packages, and the house rules that a compiler does not know, true. */
final class ArchitectureTest {
  private static final String ROOT = "";
  private static final Path SOURCES = Path.of("src/main/java/dev/spatz");
  private static final Path CLASSES = Path.of("target/classes/dev/spatz");

  /** Package → those of ours that it may import. */
  private static final Map<String, Set<String>> MAY_IMPORT =
      Map.ofEntries(
          Map.entry("template", Set.of()),
          Map.entry("tokenizer", Set.of("template")),
          Map.entry("dataset", Set.of("tokenizer")),
          Map.entry("kernel", Set.of()),
          Map.entry("transformer", Set.of("kernel")),
          Map.entry("optimizer", Set.of("kernel", "transformer")),
          Map.entry("training", Set.of("dataset", "transformer", "optimizer", "kernel")),
          Map.entry("constraint", Set.of("tokenizer")),
          Map.entry("generation", Set.of("tokenizer", "constraint", "transformer", "kernel")),
          Map.entry("report", Set.of("training")),
          Map.entry(
              "checkpoint",
              Set.of(
                  "tokenizer",
                  "dataset",
                  "kernel",
                  "transformer",
                  "optimizer",
                  "training",
                  "generation",
                  "report")),
          Map.entry(
              ROOT,
              Set.of(
                  "tokenizer",
                  "dataset",
                  "kernel",
                  "transformer",
                  "optimizer",
                  "training",
                  "generation",
                  "checkpoint",
                  "report")),
          Map.entry(
              "bench",
              Set.of(
                  "tokenizer",
                  "constraint",
                  "dataset",
                  "kernel",
                  "transformer",
                  "optimizer",
                  "training",
                  "generation",
                  "checkpoint")),
          // A shell: the root, the benchmarks, and of the others only COMMAND_LINE_MAY_KNOW.
          Map.entry(
              "cli",
              Set.of(
                  ROOT,
                  "tokenizer",
                  "constraint",
                  "dataset",
                  "kernel",
                  "transformer",
                  "training",
                  "generation",
                  "checkpoint",
                  "report",
                  "bench")));

  /** Values that the root's signatures show. */
  private static final Set<String> COMMAND_LINE_MAY_KNOW =
      Set.of(
          "dev.spatz.LanguageModel",
          "dev.spatz.checkpoint.GgufType",
          "dev.spatz.checkpoint.Provenance",
          "dev.spatz.constraint.Constraint",
          "dev.spatz.dataset.Conversation",
          "dev.spatz.dataset.Conversations",
          "dev.spatz.dataset.Preferences",
          "dev.spatz.dataset.TrainingSource",
          "dev.spatz.dataset.Corpus",
          "dev.spatz.dataset.CorpusReport",
          "dev.spatz.kernel.Precision",
          "dev.spatz.kernel.WeightPrecision",
          "dev.spatz.report.TrainingReport",
          "dev.spatz.tokenizer.Message",
          "dev.spatz.transformer.LoraAdapter",
          "dev.spatz.transformer.LoraConfig",
          "dev.spatz.transformer.LoraTarget",
          "dev.spatz.transformer.TransformerConfig",
          "dev.spatz.transformer.WeightedAdapter");

  private static final Set<String> ND4J_OUTSIDE_KERNEL =
      Set.of("org.nd4j.linalg.api.ndarray.INDArray", "org.nd4j.linalg.api.buffer.DataType");

  /** What others than {@code kernel} may ask of an array: its form, views, elements, its end. */
  private static final Set<String> ARRAY_METHODS_OUTSIDE_KERNEL =
      Set.of(
          "shape",
          "size",
          "rank",
          "length",
          "rows",
          "columns",
          "stride",
          "offset",
          "ordering",
          "dataType",
          "isView",
          "data",
          "reshape",
          "get",
          "slice",
          "getInt",
          "getLong",
          "getFloat",
          "getDouble",
          "putScalar",
          "wasClosed",
          "close");

  private static final int MOST_LINES_OF_FILE = 400;
  private static final int MOST_LINES_OF_METHOD = 60;
  private static final String EXCUSE = "// Over " + MOST_LINES_OF_FILE + " lines: ";

  private static final Pattern NO_CODE =
      Pattern.compile(
          "\"\"\"[\\s\\S]*?\"\"\"|\"(?:\\\\.|[^\"\\\\\\n])*+\"|'(?:\\\\.|[^'\\\\\\n])++'"
              + "|//[^\\n]*|/\\*[\\s\\S]*?\\*/");
  private static final Pattern OURS = Pattern.compile("\\bdev\\.spatz\\.(\\w+)(?:\\.(\\w+))?");
  private static final Pattern ND4J = Pattern.compile("\\borg\\.nd4j\\.[\\w.]+");
  private static final Pattern TYPE = Pattern.compile("\\b(class|interface|enum|record)\\b");
  private static final Pattern ARRAY_CALL = Pattern.compile("INDArray\\.(\\w+):\\(");

  /** A source file; {@code code} is its text without comments and literals. */
  private record Source(String inPackage, Path path, String text, String code) {}

  @Test
  void imports_keepToTheMap() {
    List<String> faults = new ArrayList<>();
    for (Source source : sources()) {
      Set<String> allowed = MAY_IMPORT.get(source.inPackage());
      assertTrue(allowed != null, "no entry in MAY_IMPORT for the package of " + source.path());
      Matcher ours = OURS.matcher(source.code());
      while (ours.find()) {
        boolean inRoot = Character.isUpperCase(ours.group(1).charAt(0));
        String used = inRoot ? ROOT : ours.group(1);
        if (!used.equals(source.inPackage()) && !allowed.contains(used)) {
          faults.add(source.path() + " uses " + ours.group());
        }
      }
    }
    assertNone(faults);
  }

  @Test
  void optimizer_knowsOnlyParametersOfTransformer() {
    List<String> faults = new ArrayList<>();
    for (Source source : sources()) {
      Matcher ours = OURS.matcher(source.code());
      while (source.inPackage().equals("optimizer") && ours.find()) {
        if (ours.group(1).equals("transformer")
            && (ours.group(2) == null || !ours.group(2).startsWith("Parameter"))) {
          faults.add(source.path() + " uses " + ours.group());
        }
      }
    }
    assertNone(faults);
  }

  @Test
  void commandLine_knowsOnlyWhatTheDoorShows() {
    Set<String> whole = Set.of("cli", "training", "generation", "bench");
    List<String> faults = new ArrayList<>();
    for (Source source : sources()) {
      Matcher ours = OURS.matcher(source.code());
      while (source.inPackage().equals("cli") && ours.find()) {
        boolean inRoot = Character.isUpperCase(ours.group(1).charAt(0));
        String type = inRoot ? "dev.spatz." + ours.group(1) : ours.group();
        if (!whole.contains(ours.group(1)) && !COMMAND_LINE_MAY_KNOW.contains(type)) {
          faults.add(source.path() + " uses " + type);
        }
      }
    }
    assertNone(faults);
  }

  @Test
  void map_hasNoCycle() {
    Map<String, Set<String>> left =
        MAY_IMPORT.entrySet().stream()
            .collect(toMap(Map.Entry::getKey, entry -> new LinkedHashSet<>(entry.getValue())));
    while (!left.isEmpty()) {
      Set<String> free =
          left.entrySet().stream()
              .filter(entry -> entry.getValue().isEmpty())
              .map(Map.Entry::getKey)
              .collect(toCollection(LinkedHashSet::new));
      assertTrue(!free.isEmpty(), "a cycle among " + left.keySet());
      left.keySet().removeAll(free);
      left.values().forEach(imports -> imports.removeAll(free));
    }
  }

  @Test
  void packages_openWithAnArrowSentence() {
    Map<String, Source> infos = new TreeMap<>();
    sources().stream()
        .filter(source -> source.path().endsWith("package-info.java"))
        .forEach(source -> infos.put(source.inPackage(), source));
    Set<String> packages =
        sources().stream().map(Source::inPackage).collect(toCollection(LinkedHashSet::new));
    assertEquals(packages, Set.copyOf(infos.keySet()), "packages with a package-info.java");
    List<String> faults = new ArrayList<>();
    infos.forEach(
        (name, info) -> {
          // The root's sentence is the door; the flow is drawn below it.
          String opening =
              name.equals(ROOT) ? info.text() : info.text().split("\\.\\s|@NullMarked", 2)[0];
          if (!info.text().startsWith("/**") || !opening.matches("(?s).*[→↔].*")) {
            faults.add(info.path() + " does not open with an arrow sentence (→ or ↔)");
          }
          if (!info.code().contains("@NullMarked")) {
            faults.add(info.path() + " is not @NullMarked");
          }
        });
    assertNone(faults);
  }

  @Test
  void standardOutput_belongsToTheCommandLine() {
    Pattern printing = Pattern.compile("\\bSystem\\s*\\.\\s*(out|err)\\b|\\.printStackTrace\\(\\)");
    assertNone(
        sources().stream()
            .filter(source -> !source.inPackage().equals("cli"))
            .filter(source -> printing.matcher(source.code()).find())
            .map(source -> source.path() + " prints")
            .toList());
  }

  /** Not even {@code %d} is the same everywhere: some locales have digits of their own. */
  @Test
  void text_isTheSameInEveryLocale() {
    Pattern byDefaultLocale =
        Pattern.compile(
            "\\.formatted\\(|\\.to(Lower|Upper)Case\\(\\)"
                + "|\\bString\\.format\\((?!\\s*Locale\\.ROOT)|\\.printf\\(");
    assertNone(
        sources().stream()
            .filter(source -> byDefaultLocale.matcher(source.code()).find())
            .map(source -> source.path() + " formats without Locale.ROOT")
            .toList());
  }

  @Test
  void files_areShortOrSayWhyNot() {
    assertNone(
        sources().stream()
            .filter(source -> source.text().lines().count() > MOST_LINES_OF_FILE)
            .filter(source -> !source.text().contains(EXCUSE))
            .map(
                source ->
                    "%s has more than %d lines, and no comment \"%s<reason>\""
                        .formatted(source.path(), MOST_LINES_OF_FILE, EXCUSE))
            .toList());
  }

  @Test
  void methods_areShort() {
    assertNone(sources().stream().flatMap(source -> longMethods(source).stream()).toList());
  }

  @Test
  void nd4j_isComputedOnOnlyByKernel() {
    List<String> faults = new ArrayList<>();
    for (Source source : sources()) {
      Matcher nd4j = ND4J.matcher(source.code());
      while (nd4j.find()) {
        boolean kernel = source.inPackage().equals("kernel");
        if (nd4j.group().startsWith("org.nd4j.shade")
            || !kernel && !ND4J_OUTSIDE_KERNEL.contains(nd4j.group())) {
          faults.add(source.path() + " uses " + nd4j.group());
        }
      }
    }
    assertNone(faults);
  }

  @Test
  void arrays_areOnlyHandedOnOutsideKernel() throws IOException {
    List<String> classes;
    try (Stream<Path> files = Files.walk(CLASSES)) {
      classes =
          files
              .filter(file -> file.toString().endsWith(".class"))
              .filter(file -> !file.startsWith(CLASSES.resolve("kernel")))
              .map(Path::toString)
              .toList();
    }
    assertTrue(!classes.isEmpty(), "no classes under " + CLASSES.toAbsolutePath());
    String code = disassemble(classes);
    List<String> faults = new ArrayList<>();
    String type = "";
    for (String line : code.lines().toList()) {
      if (!line.startsWith(" ")) {
        type = line;
      }
      Matcher call = ARRAY_CALL.matcher(line);
      if (call.find() && !ARRAY_METHODS_OUTSIDE_KERNEL.contains(call.group(1))) {
        faults.add(type + " calls INDArray." + call.group(1));
      }
    }
    assertNone(faults);
  }

  private static String disassemble(List<String> classes) {
    List<String> arguments = new ArrayList<>(List.of("-c", "-p"));
    arguments.addAll(classes);
    StringWriter output = new StringWriter();
    StringWriter errors = new StringWriter();
    int exit =
        ToolProvider.findFirst("javap")
            .orElseThrow()
            .run(
                new PrintWriter(output), new PrintWriter(errors), arguments.toArray(String[]::new));
    assertEquals(0, exit, errors.toString());
    return output.toString();
  }

  /** Bodies that are members of a type, by the braces of the code. */
  private static List<String> longMethods(Source source) {
    record Block(int firstLine, boolean isType, String header) {}
    List<String> faults = new ArrayList<>();
    Deque<Block> open = new ArrayDeque<>();
    StringBuilder header = new StringBuilder();
    int line = 1;
    int headerLine = 1;
    for (char c : source.code().toCharArray()) {
      if (c == '{') {
        String text = header.toString().strip();
        open.push(new Block(headerLine, TYPE.matcher(text).find(), text));
      } else if (c == '}') {
        Block block = open.pop();
        boolean member = !open.isEmpty() && open.peek().isType() && !block.isType();
        int lines = line - block.firstLine() + 1;
        if (member && !block.header().endsWith("=") && lines > MOST_LINES_OF_METHOD) {
          faults.add(
              "%s:%d: %d lines, more than %d"
                  .formatted(source.path(), block.firstLine(), lines, MOST_LINES_OF_METHOD));
        }
      }
      if (c == '{' || c == '}' || c == ';') {
        header.setLength(0);
      } else if (!Character.isWhitespace(c) || !header.isEmpty()) {
        if (header.isEmpty()) {
          headerLine = line;
        }
        header.append(c);
      }
      line += c == '\n' ? 1 : 0;
    }
    return faults;
  }

  private static List<Source> sources() {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .sorted()
          .map(ArchitectureTest::source)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Source source(Path path) {
    try {
      String text = Files.readString(path);
      String code =
          NO_CODE
              .matcher(text)
              .replaceAll(match -> "\n".repeat((int) match.group().lines().count() - 1));
      Path directory = SOURCES.relativize(path.getParent());
      return new Source(directory.toString(), path, text, code);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void assertNone(List<String> faults) {
    assertTrue(faults.isEmpty(), () -> String.join("\n", faults));
  }
}
