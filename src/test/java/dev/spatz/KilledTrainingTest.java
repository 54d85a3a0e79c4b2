package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.checkpoint.RunDirectory;
import dev.spatz.dataset.Corpus;
import dev.spatz.training.Cancellation;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingPlan;
import dev.spatz.transformer.TransformerConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Trains in a JVM that is killed at random moments and started again, until the run is done: it
 * must go on from the newest checkpoint that is there, and end with the bytes of an undisturbed
 * one. A few kills here; many of them, with other moments:
 *
 * <pre>{@code
 * mvn test -Dtest=KilledTrainingTest -Dspatz.kills=300 -Dspatz.kills.seed=1
 * }</pre>
 */
final class KilledTrainingTest {
  private static final int KILLS = Integer.getInteger("spatz.kills", 3);
  private static final long SEED = Long.getLong("spatz.kills.seed", 1);
  private static final String TEXT = "der spatz in der hand ist besser als die taube. ".repeat(30);
  private static final Corpus CORPUS = Corpus.of(List.of(TEXT));
  private static final String BEGUN = "begun";
  private static final String RESUMED = "resumed ";
  private static final String MODEL = "model.safetensors";

  /** How long a process trains at most before it is killed. */
  private static final int MILLIS_OF_TRAINING = 700;

  /** One kill of so many comes anywhere in the life of a process, which this is the length of. */
  private static final int ANYWHERE = 5;

  private static final int MILLIS_OF_LIFE = 1500;

  @TempDir Path directory;
  private final Random random = new Random(SEED);
  private int kills;
  private int resumptions;

  /** A short life of a process. */
  private record Life(boolean ended, OptionalLong resumed) {}

  private static TrainingConfig config(long seed) {
    return TrainingConfig.defaults()
        .withTokenizer(TokenizerKind.CHARACTER)
        .withModel(TransformerConfig.llama(1, 16, 2, 2, 16).withDropout(0.1))
        .withBatchSize(4)
        .withAccumulation(2)
        .withShards(2)
        .withSteps(40)
        .withAveragedSteps(15)
        .withEvaluationInterval(7)
        .withThreads(1)
        .withSeed(seed);
  }

  @Test
  void run_killedAgainAndAgain_endsWithTheSameBytes() throws IOException, InterruptedException {
    int rounds = 0;
    while (mortal()) {
      long seed = SEED * 10_000 + rounds;
      Path undisturbed = directory.resolve("undisturbed-" + rounds);
      try (LanguageModel model = LanguageModel.train(CORPUS, config(seed))) {
        model.save(undisturbed);
      }
      Path run = directory.resolve("run-" + rounds);
      Path saved = directory.resolve("saved-" + rounds);
      Life life;
      do {
        OptionalLong newest = newest(run);
        life = live(run, saved, seed);
        if (life.resumed.isPresent()) {
          assertEquals(newest, life.resumed, "goes on from the newest checkpoint that is there");
          resumptions++;
        }
      } while (!life.ended);
      assertArrayEquals(
          Files.readAllBytes(undisturbed.resolve(MODEL)), Files.readAllBytes(saved.resolve(MODEL)));
      rounds++;
    }
    System.out.printf(
        "%d kills, %d resumptions, %d runs that ended with the same bytes%n",
        kills, resumptions, rounds);
  }

  @Test
  void directory_thatAnotherProcessTrainsIn_isRefused() throws IOException, InterruptedException {
    Path run = directory.resolve("run");
    Process process = start(run, directory.resolve("saved"), 1);
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      assertEquals(BEGUN, lines.readLine());
      IOException e = assertThrows(IOException.class, () -> LanguageModel.resume(run));
      assertTrue(e.getMessage().contains("(" + process.pid() + ")"), e.getMessage());
      assertTrue(e.getMessage().contains(run.toString()), e.getMessage());
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  /** There are enough kills only when one of them had something to go on from. */
  private boolean mortal() {
    return kills < KILLS || resumptions == 0;
  }

  private Life live(Path run, Path saved, long seed) throws IOException, InterruptedException {
    Process process = start(run, saved, seed);
    boolean mortal = mortal();
    boolean anywhere = random.nextInt(ANYWHERE) == 0;
    long delay = random.nextInt(anywhere ? MILLIS_OF_LIFE : MILLIS_OF_TRAINING);
    OptionalLong resumed = OptionalLong.empty();
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      if (mortal && anywhere) {
        process.waitFor(delay, TimeUnit.MILLISECONDS);
        process.toHandle().destroyForcibly(); // leaves the stream open
      }
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith(RESUMED)) {
          resumed = OptionalLong.of(Long.parseLong(line.substring(RESUMED.length())));
        } else if (!line.equals(BEGUN)) {
          throw new AssertionError("the process says: " + line);
        }
        if (mortal && !anywhere && (resumed.isPresent() || !RunDirectory.canBeResumed(run))) {
          process.waitFor(delay, TimeUnit.MILLISECONDS);
          process.toHandle().destroyForcibly();
        }
      }
    }
    int exit = process.waitFor();
    boolean ended = exit == 0;
    boolean killed = exit == 128 + 9;
    assertTrue(ended || killed, "exit code " + exit);
    kills += killed ? 1 : 0;
    return new Life(ended, resumed);
  }

  private static Process start(Path run, Path saved, long seed) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.logFile=System.out",
            Child.class.getName(),
            run.toString(),
            saved.toString(),
            Long.toString(seed))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /** The step of the newest checkpoint that has its name, which none has before it is whole. */
  private static OptionalLong newest(Path run) throws IOException {
    if (!Files.exists(run)) {
      return OptionalLong.empty();
    }
    try (Stream<Path> entries = Files.list(run)) {
      return entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> name.matches("checkpoint-\\d+"))
          .mapToLong(name -> Long.parseLong(name.substring("checkpoint-".length())))
          .max();
    }
  }

  /** What is killed. */
  static final class Child {
    private Child() {}

    /** Begins or resumes the run, and saves the model. */
    public static void main(String[] arguments) throws IOException {
      Path run = Path.of(arguments[0]);
      TrainingConfig config =
          config(Long.parseLong(arguments[2]))
              .withCheckpoints(
                  CheckpointConfig.of(run).withEvery(null).withEverySteps(2).withKeep(2));
      TrainingListener saying =
          new TrainingListener() {
            @Override
            public void started(TrainingPlan plan) {
              System.out.println(BEGUN);
            }

            @Override
            public void resumed(long step) {
              System.out.println(RESUMED + step);
            }
          };
      Cancellation never = new Cancellation();
      try (LanguageModel model =
          RunDirectory.canBeResumed(run)
              ? LanguageModel.resume(run, ResumeConfig.defaults(), saying, never)
              : LanguageModel.train(CORPUS, config, saying, never)) {
        model.save(Path.of(arguments[1]));
      }
    }
  }
}
