package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.checkpoint.GgufType;
import dev.spatz.dataset.Corpus;
import dev.spatz.training.Cancellation;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingPlan;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Models that are closed while they are used, and trainings that are stopped from outside, at
 * random moments: nothing is lost, and the JVM lives. A few times here; more often:
 *
 * <pre>{@code
 * mvn test -Dtest=CloseUnderLoadTest -Dspatz.closes=1000
 * }</pre>
 */
class CloseUnderLoadTest {
  private static final int TIMES = Integer.getInteger("spatz.closes", 8);
  private static final String TEXT = "der spatz in der hand ist besser als die taube. ".repeat(60);
  private static final Corpus CORPUS = Corpus.of(List.of(TEXT));

  @TempDir static Path saved;
  @TempDir Path directory;
  private final Random random = new Random(1);

  private static TrainingConfig config() {
    return TrainingConfig.defaults()
        .withTokenizer(TokenizerKind.CHARACTER)
        .withModel(TransformerConfig.llama(1, 64, 2, 2, 32))
        .withBatchSize(4)
        .withThreads(2)
        .withSteps(10_000_000)
        .withEvaluationInterval(20);
  }

  @BeforeAll
  static void train() throws IOException {
    try (LanguageModel model = LanguageModel.train(CORPUS, config().withSteps(2))) {
      model.save(saved.resolve("model"));
    }
  }

  /** Something that is done with a model. */
  private interface Use {
    void run(LanguageModel model) throws IOException;
  }

  /** Lets a thread use a model again and again, and closes it meanwhile. */
  private void closeDuring(Use use) throws Exception {
    int used = 0;
    for (int i = 0; i < TIMES; i++) {
      LanguageModel model = LanguageModel.load(saved.resolve("model"));
      CountDownLatch begun = new CountDownLatch(1);
      AtomicReference<Throwable> end = new AtomicReference<>();
      int[] uses = {0};
      Thread user =
          new Thread(
              () -> {
                begun.countDown();
                try {
                  while (true) {
                    use.run(model);
                    uses[0]++;
                  }
                } catch (Throwable e) {
                  end.set(e);
                }
              });
      user.start();
      begun.await();
      pass(random.nextInt(20_000_000));
      model.close();
      user.join();
      used += uses[0];
      assertEquals("java.lang.IllegalStateException: the model is closed", end.get().toString());
    }
    assertTrue(used > 0 || TIMES < 8, "it was used before it was closed");
  }

  /** Lets so many nanoseconds pass. */
  private static void pass(long nanos) {
    for (long end = System.nanoTime() + nanos; System.nanoTime() < end; ) {
      Thread.onSpinWait();
    }
  }

  @Test
  void closing_whileItIsEvaluated() throws Exception {
    closeDuring(model -> model.evaluate(CORPUS));
  }

  @Test
  void closing_whileItIsSaved_leavesAWholeModel() throws Exception {
    Path copy = directory.resolve("copy");
    closeDuring(model -> model.save(copy));
    LanguageModel.load(copy).close();
    assertEquals(List.of(copy), Files.list(directory).toList(), "and nothing beside it");
  }

  @Test
  void closing_whileItIsExported() throws Exception {
    closeDuring(model -> model.exportGguf(directory.resolve("model.gguf"), GgufType.F32));
  }

  @Test
  void closing_whileItIsTrainedOn() throws Exception {
    TrainingConfig brief = TrainingConfig.defaults().withSteps(2).withThreads(2);
    closeDuring(
        model ->
            LanguageModel.fineTune(model, CORPUS, brief, TrainingListener.NONE, new Cancellation())
                .close());
  }

  @Test
  void training_isStoppedByCancelling() throws Exception {
    for (int i = 0; i < TIMES; i++) {
      Cancellation cancellation = new Cancellation();
      stop(config(), cancellation, thread -> cancellation.cancel());
    }
  }

  @Test
  void training_isStoppedByAnInterrupt_andItsRunIsWhole() throws Exception {
    for (int i = 0; i < TIMES; i++) {
      Path run = directory.resolve("run-" + i);
      CheckpointConfig checkpoints = CheckpointConfig.of(run).withEvery(null).withEverySteps(3);
      stop(config().withCheckpoints(checkpoints), new Cancellation(), Thread::interrupt);
      Cancellation now = new Cancellation();
      now.cancel();
      LanguageModel.resume(run, ResumeConfig.defaults(), TrainingListener.NONE, now).close();
    }
  }

  /** How a training is told to stop. */
  private interface Stop {
    void run(Thread training);
  }

  private void stop(TrainingConfig config, Cancellation cancellation, Stop stop)
      throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void started(TrainingPlan plan) {
            begun.countDown();
          }
        };
    Thread training =
        new Thread(
            () -> {
              try {
                LanguageModel.train(CORPUS, config, listener, cancellation).close();
              } catch (Throwable e) {
                failure.set(e);
                begun.countDown();
              }
            });
    training.start();
    begun.await();
    pass(random.nextInt(20_000_000));
    stop.run(training);
    training.join();
    assertEquals(null, failure.get());
  }
}
