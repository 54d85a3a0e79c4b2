package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WriteMode;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

class TransformerTest {
  private static final int SEQUENCES = 3;
  private static final int TIME = 5;
  private static final int VOCABULARY = 11;
  private static final TransformerConfig GPT2 =
      TransformerConfig.gpt2(VOCABULARY, 8, 2, 3, 12).withDropout(0.2);
  private static final TransformerConfig LLAMA =
      TransformerConfig.llama(VOCABULARY, 8, 2, 2, 12).withKeyValueHeads(1).withDropout(0.2);

  private final Kernels kernels = KernelBackend.ND4J.create();
  private final int[] inputs = TestModels.ids(SEQUENCES * TIME, VOCABULARY, 1);
  private final int[] targets = TestModels.targets(SEQUENCES * TIME, VOCABULARY, 2);

  @AfterEach
  void close() {
    kernels.close();
  }

  static Stream<TransformerConfig> configs() {
    return Stream.of(GPT2, LLAMA);
  }

  @ParameterizedTest
  @MethodSource("configs")
  void closedModelsAndWorkspaces_areRefused(TransformerConfig config) {
    Transformer model = Transformer.zeros(config, DataType.FLOAT);
    Workspace closed = model.workspace(SEQUENCES, TIME);
    closed.close();
    Executable pass = () -> model.loss(kernels, closed, inputs, targets, null);
    assertClosed("the workspace is closed", pass);
    try (Workspace workspace = model.workspace(SEQUENCES, TIME);
        Decoder decoder = model.decoder();
        KeyValueCache cache = model.cache()) {
      model.close();
      model.close();
      String message = "the parameters are closed";
      assertClosed(message, () -> model.loss(kernels, workspace, inputs, targets, null));
      assertClosed(message, () -> decoder.accept(kernels, cache, 1));
      assertClosed(message, model::decoder);
      assertClosed(message, () -> model.workspace(1, 1));
      assertClosed(message, () -> model.parameters().flat());
    }
  }

  private static void assertClosed(String message, Executable executable) {
    assertEquals(message, assertThrows(IllegalStateException.class, executable).getMessage());
  }

  /** Logits of zero give every token the probability 1/V. */
  @ParameterizedTest
  @MethodSource("configs")
  void loss_ofAModelOfZeros_isThatOfGuessing(TransformerConfig config) {
    try (Transformer model = Transformer.zeros(config, DataType.DOUBLE);
        Workspace workspace = model.workspace(SEQUENCES, TIME)) {
      double[] losses = new double[workspace.rows()];
      double sum = model.loss(kernels, workspace, inputs, targets, losses);
      double[] expected =
          Arrays.stream(targets).mapToDouble(t -> t < 0 ? 0 : Math.log(VOCABULARY)).toArray();
      assertArrayEquals(expected, losses, 1e-14);
      assertEquals(Arrays.stream(expected).sum(), sum, 1e-12);
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void loss_ofAnInitializedModel_isNearThatOfGuessing(TransformerConfig config) {
    try (Transformer model = Transformer.initialized(config, DataType.FLOAT, 1);
        Workspace workspace = model.workspace(SEQUENCES, TIME)) {
      double mean =
          TestModels.scale(targets) * model.loss(kernels, workspace, inputs, targets, null);
      assertEquals(Math.log(VOCABULARY), mean, 0.1);
    }
  }

  /** The definition: −ln of the softmax of the position's logits. */
  @ParameterizedTest
  @MethodSource("configs")
  void losses_areThoseOfTheLogits(TransformerConfig config) {
    try (Transformer model = TestModels.random(config, DataType.DOUBLE, 3);
        Workspace workspace = model.workspace(SEQUENCES, TIME)) {
      double[] losses = new double[workspace.rows()];
      model.loss(kernels, workspace, inputs, targets, losses);
      double[] logits = TestModels.logits(kernels, model, inputs, SEQUENCES);
      for (int row = 0; row < losses.length; row++) {
        double[] ofRow = Arrays.copyOfRange(logits, row * VOCABULARY, (row + 1) * VOCABULARY);
        double logSum = Math.log(Arrays.stream(ofRow).map(Math::exp).sum());
        assertEquals(targets[row] < 0 ? 0 : logSum - ofRow[targets[row]], losses[row], 1e-12);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void loss_ofEvaluation_isTheLossOfTrainingWithoutDropout(TransformerConfig config) {
    try (Transformer model = TestModels.random(config, DataType.FLOAT, 3);
        Workspace workspace = model.workspace(SEQUENCES, TIME)) {
      double loss = model.loss(kernels, workspace, inputs, targets, null);
      assertEquals(loss, trainingLoss(model, workspace, DropoutSites.NONE));
      assertNotEquals(loss, trainingLoss(model, workspace, dropout(config, 1)));
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void dropout_dependsOnTheStepAlone(TransformerConfig config) {
    try (Transformer model = TestModels.random(config, DataType.FLOAT, 3);
        Workspace workspace = model.workspace(SEQUENCES, TIME)) {
      double first = trainingLoss(model, workspace, dropout(config, 1));
      double second = trainingLoss(model, workspace, dropout(config, 2));
      assertNotEquals(first, second);
      assertEquals(first, trainingLoss(model, workspace, dropout(config, 1)));
    }
  }

  /** What an earlier pass left in the workspace must not matter. */
  @ParameterizedTest
  @MethodSource("configs")
  void gradients_inAUsedWorkspace_areThoseOfAFreshOne(TransformerConfig config) {
    try (Transformer model = TestModels.random(config, DataType.FLOAT, 3);
        Workspace used = model.workspace(SEQUENCES, TIME);
        Workspace fresh = model.workspace(SEQUENCES, TIME);
        ParameterSet a = ParameterSet.zeros(model.parameters().layout(), DataType.FLOAT);
        ParameterSet b = ParameterSet.zeros(model.parameters().layout(), DataType.FLOAT)) {
      int[] others = TestModels.ids(inputs.length, VOCABULARY, 5);
      TestModels.spoil(a);
      model.lossAndGradients(
          kernels, used, others, others, 1, dropout(config, 7), WriteMode.OVERWRITE, a);
      model.lossAndGradients(
          kernels, used, inputs, targets, 1, dropout(config, 1), WriteMode.OVERWRITE, a);
      model.lossAndGradients(
          kernels, fresh, inputs, targets, 1, dropout(config, 1), WriteMode.OVERWRITE, b);
      assertArrayEquals(Tensors.toFloats(b.flat()), Tensors.toFloats(a.flat()));
    }
  }

  /** A later token must not change what is predicted before it. */
  @ParameterizedTest
  @MethodSource("configs")
  void logits_dependOnEarlierTokensOnly(TransformerConfig config) {
    int[] changed = inputs.clone();
    int last = TIME - 1;
    changed[last] = (inputs[last] + 1) % VOCABULARY;
    try (Transformer model = TestModels.random(config, DataType.DOUBLE, 3)) {
      double[] a = TestModels.logits(kernels, model, inputs, SEQUENCES);
      double[] b = TestModels.logits(kernels, model, changed, SEQUENCES);
      for (int row = 0; row < inputs.length; row++) {
        double[] ofA = Arrays.copyOfRange(a, row * VOCABULARY, (row + 1) * VOCABULARY);
        double[] ofB = Arrays.copyOfRange(b, row * VOCABULARY, (row + 1) * VOCABULARY);
        double difference = TestModels.relativeError(ofB, ofA);
        assertTrue(row == last ? difference > 1e-3 : difference <= 1e-13, "row " + row);
      }
    }
  }

  @Test
  void workspace_refusesSequencesBeyondTheContext() {
    try (Transformer model = Transformer.zeros(LLAMA, DataType.FLOAT)) {
      requireRefusal(
          "sequences of 9 positions exceed the contextLength (8)",
          () -> model.workspace(1, 9).close());
    }
  }

  @Test
  void passes_refuseInputsThatDoNotFillTheWorkspace() {
    requireRefusal(
        "inputs (14) must be as many as the workspace has rows (15)",
        Arrays.copyOf(inputs, 14),
        targets);
  }

  @Test
  void passes_refuseTargetsThatDoNotFillTheWorkspace() {
    requireRefusal(
        "targets (16) must be as many as the workspace has rows (15)",
        inputs,
        Arrays.copyOf(targets, 16));
  }

  @Test
  void passes_refuseInputsOutsideTheVocabulary() {
    requireRefusal("token id 11 in inputs is outside the vocabulary of 11", with(11), targets);
    requireRefusal("token id -1 in inputs is outside the vocabulary of 11", with(-1), targets);
  }

  @Test
  void passes_refuseTargetsOutsideTheVocabulary() {
    requireRefusal("token id 11 in targets is outside the vocabulary of 11", inputs, with(11));
  }

  private int[] with(int id) {
    int[] ids = inputs.clone();
    ids[3] = id;
    return ids;
  }

  private void requireRefusal(String message, int[] inputs, int[] targets) {
    try (Transformer model = Transformer.zeros(LLAMA, DataType.FLOAT);
        Workspace workspace = model.workspace(SEQUENCES, TIME);
        ParameterSet gradients = ParameterSet.zeros(model.parameters().layout(), DataType.FLOAT)) {
      requireRefusal(message, () -> model.loss(kernels, workspace, inputs, targets, null));
      requireRefusal(
          message,
          () ->
              model.lossAndGradients(
                  kernels,
                  workspace,
                  inputs,
                  targets,
                  1,
                  DropoutSites.NONE,
                  WriteMode.ADD,
                  gradients));
    }
  }

  private static void requireRefusal(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }

  private static DropoutSites dropout(TransformerConfig config, long step) {
    return TestModels.dropout(config, 0.2, CounterRandom.of(4).child(step), 0);
  }

  private double trainingLoss(Transformer model, Workspace workspace, DropoutSites dropout) {
    try (ParameterSet gradients =
        ParameterSet.zeros(model.parameters().layout(), model.dataType())) {
      return model.lossAndGradients(
          kernels, workspace, inputs, targets, 1, dropout, WriteMode.ADD, gradients);
    }
  }
}
