package dev.spatz.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class MainTest {
  @TempDir Path directory;

  /** What a command answered. */
  private record Answer(int exit, String out, String err) {}

  private static Answer run(Object... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] texts = new String[arguments.length];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = arguments[i].toString();
    }
    int exit = Main.run(new PrintWriter(out), new PrintWriter(err), texts);
    return new Answer(exit, out.toString(), err.toString());
  }

  private static Object[] with(Object[] line, Object... more) {
    return Stream.concat(Arrays.stream(line), Arrays.stream(more)).toArray();
  }

  private Path text() throws IOException {
    return Files.writeString(
        directory.resolve("text.txt"), "A sparrow in the hand sings on the roof.\n".repeat(500));
  }

  private static void assertRefused(int exit, String sentence, Answer answer) {
    assertEquals(exit, answer.exit(), answer.err());
    assertTrue(answer.err().contains(sentence), answer.err());
    assertEquals(1, answer.err().lines().filter(line -> line.startsWith("spatz: ")).count());
    assertFalse(answer.err().contains("\tat "), answer.err());
    assertEquals("", answer.out());
  }

  @Test
  void conversationsAndPairs_areInspected() throws IOException {
    String talk = "{\"prompt\": \"Was ist ein Spatz?\", \"completion\": \"Ein Vogel.\"}\n";
    Path talks = Files.writeString(directory.resolve("talks.jsonl"), talk.repeat(3));
    Answer answer = run("inspect", talks, "--conversations", "--validation", talks);
    assertEquals(0, answer.exit(), answer.err());
    assertTrue(answer.out().contains("2 exact, 0 near"), answer.out());
    assertTrue(answer.out().contains("3 of 3 documents are in the corpus"), answer.out());
    String pair = "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}\n";
    Path pairs = Files.writeString(directory.resolve("pairs.jsonl"), pair);
    answer = run("inspect", pairs, "--preferences");
    assertTrue(answer.out().contains("characters       5"), answer.out());
    assertRefused(
        2,
        "--text-field is for texts",
        run("inspect", talks, "--conversations", "--text-field", "prompt"));
  }

  @Test
  void help_namesTheCommands() {
    Answer answer = run("--help");
    assertEquals(0, answer.exit());
    for (String command :
        new String[] {
          "train", "finetune", "generate", "chat", "evaluate", "info", "merge", "export"
        }) {
      assertTrue(answer.out().contains("\n  " + command + " "), answer.out());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "train, --minutes",
    "finetune, --learning-rate",
    "finetune, --lora-targets",
    "merge, --adapter",
    "export, --type",
    "generate, --max-new-tokens",
    "generate, --xtc-threshold",
    "chat, --system",
    "evaluate, --text-column",
    "info, DIR"
  })
  void help_isThereForEveryCommand(String command, String option) {
    Answer answer = run(command, "--help");
    assertEquals(0, answer.exit());
    assertTrue(answer.out().contains("Usage: spatz " + command), answer.out());
    assertTrue(answer.out().contains(option), answer.out());
  }

  @Test
  void version_isALine() {
    Answer answer = run("--version");
    assertEquals(0, answer.exit());
    assertTrue(answer.out().startsWith("spatz "), answer.out());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fly",
        "train --out x",
        "train text",
        "train text --out x --steps 0",
        "train text --out x --steps -3",
        "train text --out x --steps many",
        "train text --out x --minutes 0",
        "train text --out x --steps 1 --minutes 1",
        "train text --out x --preset huge",
        "generate model",
        "generate model prompt --temperature hot",
        "finetune model --out x",
        "finetune model text --out x --steps 0",
        "finetune model text --out x --beta 0.1",
        "finetune model text --out x --skip-faults",
        "finetune model text --out x --conversations --preferences",
        "finetune model talks --out x --conversations --text-field b",
        "finetune model pairs --out x --preferences --charset UTF-16",
        "evaluate model pairs --preferences --compare-precisions",
        "finetune model text --out x --lora-rank 4",
        "finetune model text --out x --lora --lora-targets HEAD",
        "merge model --out x",
        "export model",
        "export model file --type Q3",
        "info"
      })
  void wrongUsage_isExplainedInOneLine(String line) {
    Answer answer = run((Object[]) line.split(" "));
    assertRefused(2, "--help shows how", answer);
    assertEquals(1, answer.err().lines().count(), answer.err());
  }

  @Test
  void argumentThatLostCharacters_isRefused() {
    assertRefused(2, "LC_ALL=C.UTF-8", run("generate", "model", "K\uFFFD\uFFFDnig"));
  }

  @Test
  void absentCorpus_isNamed() {
    Path absent = directory.resolve("absent.txt");
    assertRefused(1, absent.toString(), run("train", absent, "--out", directory.resolve("model")));
  }

  @Test
  void absentValidation_isNamedBeforeTraining() throws IOException {
    Path absent = directory.resolve("absent.txt");
    Path model = directory.resolve("model");
    Answer answer = run("train", text(), "--validation", absent, "--out", model);
    assertRefused(1, absent.toString(), answer);
    assertEquals(1, answer.err().lines().count(), answer.err());
  }

  @Test
  void outputThatIsAFile_isRefusedBeforeTraining() throws IOException {
    Answer answer = run("train", text(), "--out", text(), "--steps", 1);
    assertRefused(1, "a model is saved as a directory", answer);
    assertEquals(1, answer.err().lines().count(), answer.err());
  }

  @Test
  void outputBelowAFile_isRefusedBeforeTraining() throws IOException {
    Answer answer = run("train", text(), "--out", text().resolve("model"), "--steps", 1);
    assertRefused(1, text() + ": there is a file of this name", answer);
    assertEquals(1, answer.err().lines().count(), answer.err());
  }

  @Test
  void outputThatHoldsSomethingElse_isRefusedBeforeTraining() throws IOException {
    Answer answer = run("train", text(), "--out", directory, "--steps", 1);
    assertRefused(1, "not empty, and not a model", answer);
    assertEquals(1, answer.err().lines().count(), answer.err());
  }

  @Test
  void textColumnWithoutCsv_isRefused() throws IOException {
    Answer answer =
        run("train", text(), "--text-column", "post", "--out", directory.resolve("model"));
    assertRefused(2, "the text column is for .csv files", answer);
  }

  @ParameterizedTest
  @ValueSource(strings = {"generate", "evaluate", "info"})
  void absentModel_isNamed(String command) throws IOException {
    Path absent = directory.resolve("absent");
    Answer answer = command.equals("info") ? run(command, absent) : run(command, absent, text());
    assertRefused(1, absent.toString(), answer);
  }

  @Test
  void settingOutOfRange_isNamed() {
    Answer answer = run("generate", directory, "prompt", "--temperature", -1);
    assertRefused(2, "temperature (-1.0) must be finite and not negative", answer);
  }

  @Test
  void everyControlOutOfRange_isNamed() {
    assertRefused(2, "minP (2.0) must", run("generate", directory, "prompt", "--min-p", 2));
    assertRefused(2, "deadline (PT0S) must", run("generate", directory, "prompt", "--deadline", 0));
    assertRefused(
        2,
        "repetition (0.0) must",
        run("generate", directory, "prompt", "--repetition-penalty", 0));
    for (String[] control :
        new String[][] {
          {"--logit-bias", "-3=1", "logitBias of id (-3)"},
          {"--frequency-penalty", "NaN", "frequency (NaN)"},
          {"--presence-penalty", "NaN", "presence (NaN)"},
          {"--penalty-window", "0", "window (0)"},
          {"--no-repeat-ngram", "-1", "noRepeatNgram (-1)"},
          {"--dry-multiplier", "-1", "multiplier (-1.0)"},
          {"--dry-base", "0.5", "base (0.5)"},
          {"--dry-allowed-length", "0", "allowedLength (0)"},
          {"--dry-window", "0", "window (0)"},
          {"--dry-breaker", "", "breakers ([])"},
          {"--top-n-sigma", "-1", "topNSigma (-1.0)"},
          {"--top-k", "-1", "topK (-1)"},
          {"--typical-p", "0", "typicalP (0.0)"},
          {"--top-p", "0", "topP (0.0)"},
          {"--xtc-probability", "2", "probability (2.0)"},
          {"--xtc-threshold", "1", "threshold (1.0)"},
          {"--stop", "", "stop string ()"},
          {"--stop-token", "-1", "stop token (-1)"},
          {"--alternatives", "-1", "alternatives (-1)"}
        }) {
      assertRefused(2, control[2], run("generate", directory, "prompt", control[0], control[1]));
    }
  }

  @Test
  void verbose_showsTheStackTrace() {
    Answer answer = run("info", directory.resolve("absent"), "--verbose");
    assertEquals(1, answer.exit());
    assertTrue(answer.err().contains("\tat dev.spatz."), answer.err());
  }

  @Test
  void model_isTrainedShownUsedAndMeasured() throws IOException {
    Path text = text();
    Path model = directory.resolve("model");
    Answer trained =
        run("train", text, "--validation", text, "--out", model, "--steps", 2, "--seed", 7);
    assertEquals(0, trained.exit(), trained.err());
    assertTrue(trained.err().contains("saved in " + model), trained.err());

    Answer info = run("info", model);
    assertEquals(0, info.exit(), info.err());
    assertTrue(info.out().contains("seed                 7\n"), info.out());
    assertTrue(info.out().contains("B: weights "), info.out());
    assertTrue(info.out().contains("memory of a text     up to "), info.out());
    assertTrue(info.out().contains("tokenizer            byte-level BPE, "), info.out());

    Answer generated =
        run("generate", model, "A sparrow", "--max-new-tokens", 5, "--seed", 3, "--top-k", 9);
    assertEquals(0, generated.exit(), generated.err());
    assertTrue(generated.out().startsWith("A sparrow"), generated.out());
    assertTrue(generated.err().contains("seed 3)"), generated.err());
    assertEquals(
        generated.out(),
        run("generate", model, "A sparrow", "--max-new-tokens", 5, "--seed", 3, "--top-k", 9)
            .out());

    Answer evaluated = run("evaluate", model, text);
    assertEquals(0, evaluated.exit(), evaluated.err());
    assertTrue(evaluated.out().contains("bits/byte"), evaluated.out());

    Answer compared = run("evaluate", model, text, "--compare-precisions");
    assertEquals(0, compared.exit(), compared.err());
    List<String> lines = compared.out().lines().toList();
    assertEquals(4, lines.size(), compared.out());
    assertTrue(lines.get(1).startsWith("float32 ") && lines.get(1).contains(" +0.000% "));
    assertTrue(lines.get(2).startsWith("bf16 ") && lines.get(3).startsWith("int8 "));
  }

  @Test
  void model_isTrainedOnAndExported() throws IOException {
    Path text = text();
    Path model = directory.resolve("model");
    Path tuned = directory.resolve("tuned");
    assertEquals(0, run("train", text, "--out", model, "--steps", 1).exit());
    Answer answer =
        run("finetune", model, text, "--out", tuned, "--steps", 1, "--learning-rate", 1e-4);
    assertEquals(0, answer.exit(), answer.err());
    Answer info = run("info", tuned);
    assertTrue(info.out().contains("base weights SHA-256"), info.out());

    Path file = directory.resolve("model.gguf");
    Answer exported = run("export", tuned, file, "--type", "q8_0");
    assertEquals(0, exported.exit(), exported.err());
    assertTrue(exported.err().contains("wrote " + file), exported.err());
    assertTrue(Files.size(file) > 0);
  }

  private Path talks(String name, int from, int to) throws IOException {
    StringBuilder talks = new StringBuilder();
    for (int i = from; i < to; i++) {
      talks.append("{\"prompt\": \"hand " + i + "\", \"completion\": \"roof " + i + "\"}\n");
    }
    return Files.writeString(directory.resolve(name), talks);
  }

  /** The model learns from all talks, is measured with others, and those are shown. */
  @Test
  void tunedModel_isMeasuredWithItsOwnKind() throws IOException {
    Path model = directory.resolve("model");
    Path tuned = directory.resolve("tuned");
    Path file = talks("talks.jsonl", 0, 20);
    Path others = talks("others.jsonl", 50, 52);
    assertEquals(0, run("train", text(), "--out", model, "--steps", 1).exit());
    Object[] line = {"finetune", model, file, "--conversations", "--out", tuned, "--steps", 1};
    Answer answer = run(with(line, "--validation", others));
    assertEquals(0, answer.exit(), answer.err());
    List<String> asked = answer.out().lines().filter(l -> l.startsWith("asked")).toList();
    assertEquals(List.of("asked    hand 51", "asked    hand 50"), asked);
    Path pairs =
        Files.writeString(
            directory.resolve("pairs.jsonl"),
            "{\"prompt\": \"hand\", \"chosen\": \"roof\", \"rejected\": \"bird\"}");
    Path best = directory.resolve("best");
    Object[] better = {"finetune", tuned, pairs, "--preferences", "--out", best, "--steps", 1};
    assertRefused(2, "each part needs at least one", run(better));
    assertEquals(0, run(with(better, "--validation", pairs)).exit());
    Path absent = directory.resolve("absent.jsonl");
    assertRefused(1, absent.toString(), run(with(line, "--validation", absent)));
    assertRefused(1, "text.txt", run(with(line, "--validation", text())));
  }

  @Test
  void tunedModel_isShownBesideTheOldOne() throws IOException {
    Path model = directory.resolve("model");
    Path tuned = directory.resolve("tuned");
    Path file = talks("talks.jsonl", 0, 20);
    assertEquals(0, run("train", text(), "--out", model, "--steps", 1).exit());
    Answer answer = run("finetune", model, file, "--conversations", "--out", tuned, "--steps", 1);
    assertEquals(0, answer.exit(), answer.err());
    List<String> lines = answer.out().lines().filter(line -> !line.startsWith(" ")).toList();
    assertEquals("asked    hand 19", lines.get(1));
    assertTrue(lines.get(2).startsWith("before"), answer.out());
    assertTrue(lines.get(3).startsWith("after"), answer.out());
    assertEquals("wanted   roof 19", lines.get(4));
    assertEquals("asked    hand 18", lines.get(6));
    assertEquals(10, lines.size(), answer.out());
  }

  @Test
  void adapter_isTrainedUsedAndMerged() throws IOException {
    Path text = text();
    Path model = directory.resolve("model");
    Path adapter = directory.resolve("adapter");
    Path merged = directory.resolve("merged");
    assertEquals(0, run("train", text, "--out", model, "--steps", 1).exit());
    Answer tuned =
        run(
            "finetune",
            model,
            text,
            "--out",
            adapter,
            "--steps",
            3,
            "--lora",
            "--lora-rank",
            2,
            "--lora-targets",
            "query,down");
    assertEquals(0, tuned.exit(), tuned.err());
    assertTrue(Files.exists(adapter.resolve("adapter_model.safetensors")));
    String[] greedy = {"--temperature", "0", "--max-new-tokens", "9"};
    Answer plain = generate(model, greedy);
    Answer adapted = generate(model, greedy, "--adapter", adapter + "=1000");
    assertNotEquals(plain.out(), adapted.out());
    Answer none = generate(model, greedy, "--adapter", adapter + "=0.0");
    assertEquals(plain.out(), none.out());
    Answer answer = run("merge", model, "--adapter", adapter + "=1000", "--out", merged);
    assertEquals(0, answer.exit(), answer.err());
    assertEquals(adapted.out(), generate(merged, greedy).out());
    Path file = directory.resolve("merged.gguf");
    assertEquals(0, run("export", model, file, "--adapter", adapter).exit());
    assertRefused(
        1, "adapter_config.json", run("merge", model, "--adapter", text, "--out", merged));
    assertRefused(
        1, "not an adapter", run("finetune", model, text, "--out", model, "--lora", "--steps", 1));
  }

  private Answer generate(Path model, String[] options, String... more) {
    List<Object> line = new ArrayList<>(List.of("generate", model, "hand"));
    line.addAll(List.of(options));
    line.addAll(List.of(more));
    Answer answer = run(line.toArray());
    assertEquals(0, answer.exit(), answer.err());
    return answer;
  }

  @Test
  void preferences_areLearnedAndMeasured() throws IOException {
    Path model = directory.resolve("model");
    assertEquals(0, run("train", text(), "--out", model, "--steps", 1).exit());
    String pair = "{\"prompt\": \"Wer?\", \"chosen\": \"Spatz\", \"rejected\": \"Taube\"}\n";
    Path pairs = Files.writeString(directory.resolve("pairs.jsonl"), pair.repeat(20));
    Path tuned = directory.resolve("tuned");
    Answer answer =
        run("finetune", model, pairs, "--preferences", "--beta", 0.2, "--out", tuned, "--steps", 2);
    assertEquals(0, answer.exit(), answer.err());
    assertTrue(answer.err().contains("chosen preferred in"), answer.err());
    assertTrue(answer.out().contains("wanted   Spatz"), answer.out());
    Answer info = run("info", tuned);
    assertTrue(info.out().contains("beta=0.2"), info.out());
    Answer evaluated = run("evaluate", tuned, pairs, "--preferences");
    assertTrue(evaluated.out().contains("of 20 pairs"), evaluated.out() + evaluated.err());

    Files.writeString(pairs, pair + "{\"prompt\": \"Wer?\"}\n");
    assertRefused(1, "line 2", run("evaluate", tuned, pairs, "--preferences"));
  }
}
