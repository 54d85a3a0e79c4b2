package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.EncodedExample;
import dev.spatz.dataset.ExampleSet;
import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import dev.spatz.transformer.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** Examples, of which only the answers count, are learned like windows of text. */
class ExampleTrainingTest {
  private static final CharacterTokenizer TOKENIZER =
      CharacterTokenizer.learn(List.of("abcdefgh=.XYZABCDEFGH"));
  private static final int TIME = 32;
  private static final TransformerConfig SHAPE =
      TransformerConfig.llama(TOKENIZER.vocabularySize(), TIME, 1, 2, 32);

  /** A few small letters, and as the answer the same ones in capitals. */
  private static List<EncodedExample> examples(int count, long seed) {
    Random random = new Random(seed);
    List<EncodedExample> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder text = new StringBuilder();
      int letters = 1 + random.nextInt(4);
      for (int j = 0; j < letters; j++) {
        text.append((char) ('a' + random.nextInt(8)));
      }
      String prompt = text + "=";
      int[] ids = TOKENIZER.encode(prompt + text.toString().toUpperCase(Locale.ROOT) + ".");
      boolean[] predicted = new boolean[ids.length];
      Arrays.fill(predicted, prompt.length(), ids.length, true);
      examples.add(new EncodedExample(ids, predicted));
    }
    return examples;
  }

  private record Run(double[] weights, TrainingResult result, List<Double> losses) {}

  private static Run train(int threads, int shards) {
    TrainingConfig config =
        TrainingConfig.defaults()
            .withSteps(40)
            .withBatchSize(4)
            .withShards(shards)
            .withAccumulation(2)
            .withAveragedSteps(0)
            .withWarmupSteps(0)
            .withEvaluationInterval(20)
            .withThreads(threads);
    ExampleSet data = ExampleSet.of(examples(150, 1), examples(20, 2), TOKENIZER);
    List<Double> losses = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void stepDone(StepReport report) {
            losses.add(report.loss());
          }
        };
    try (Transformer model = Transformer.initialized(SHAPE, DataType.FLOAT, 1);
        Trainer trainer = Trainer.create(model, data, config, KernelBackend.ND4J)) {
      TrainingResult result = trainer.run(listener, new Cancellation());
      return new Run(Tensors.toDoubles(model.parameters().flat()), result, losses);
    }
  }

  @Test
  void answers_areLearned_withTheSameBytesOnAnyNumberOfThreads() {
    Run one = train(1, 2);
    assertTrue(
        one.result.evaluation().natsPerToken() < 0.6 * Math.log(TOKENIZER.vocabularySize()),
        one.result.toString());
    Run two = train(2, 2);
    assertArrayEquals(one.weights, two.weights);
    assertEquals(one.losses, two.losses);
  }

  @Test
  void shards_changeNothingButTheRounding() {
    Run one = train(1, 1);
    Run two = train(1, 4);
    assertEquals(one.losses.get(0), two.losses.get(0), 1e-6);
  }

  /** Against the definition: the mean over all answers' tokens, each example by itself. */
  @Test
  void evaluation_isTheMeanOverTheAnswers() {
    List<EncodedExample> examples = examples(20, 2);
    ExampleSet data = ExampleSet.of(examples, examples, TOKENIZER);
    TrainingConfig config = TrainingConfig.defaults().withSteps(1).withThreads(1);
    try (Transformer model = Transformer.initialized(SHAPE, DataType.FLOAT, 1);
        Kernels kernels = KernelBackend.ND4J.create();
        Trainer trainer = Trainer.create(model, data, config, KernelBackend.ND4J)) {
      double sum = 0;
      int count = 0;
      for (EncodedExample example : examples) {
        int n = example.ids().length - 1;
        int[] targets =
            IntStream.rangeClosed(1, n)
                .map(i -> example.predicted()[i] ? example.ids()[i] : -1)
                .toArray();
        try (Workspace workspace = model.workspace(1, n)) {
          sum += model.loss(kernels, workspace, Arrays.copyOf(example.ids(), n), targets, null);
        }
        count += (int) IntStream.of(targets).filter(target -> target >= 0).count();
      }
      List<Evaluation> heard = new ArrayList<>();
      trainer.run(
          new TrainingListener() {
            @Override
            public void evaluated(long step, Evaluation evaluation, boolean best) {
              heard.add(evaluation);
            }
          },
          new Cancellation());
      assertEquals(sum / count, heard.get(0).natsPerToken(), 1e-5);
      assertEquals(count, heard.get(0).tokens());
    }
  }

  @Test
  void epochs_haveEverySequenceOnce_eachInAnotherOrder() {
    ExampleSet data = ExampleSet.of(examples(150, 1), examples(2, 2), TOKENIZER);
    var sequences = data.trainSequences(TIME);
    DataOrder order = new DataOrder(CounterRandom.of(7), sequences, 4);
    int n = (int) sequences.starts();
    List<Long> drawn = new ArrayList<>();
    for (int i = 0; i < 2 * n; i++) {
      drawn.add(order.draw(i / 4, i % 4));
    }
    List<Long> all = IntStream.range(0, n).mapToObj(i -> (long) i).toList();
    assertEquals(all, drawn.subList(0, n).stream().sorted().toList());
    assertEquals(all, drawn.subList(n, 2 * n).stream().sorted().toList());
    assertTrue(!drawn.subList(0, n).equals(drawn.subList(n, 2 * n)));
    assertEquals(drawn.get(n + 1), order.draw((n + 1) / 4, (n + 1) % 4), "an earlier epoch again");
  }
}
