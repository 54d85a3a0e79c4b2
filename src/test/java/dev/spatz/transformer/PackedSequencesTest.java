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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Sequences packed into the rows of one pass have the losses and gradients they have alone. */
class PackedSequencesTest {
  private static final int VOCABULARY = 19;
  private static final int TIME = 24;
  private static final int[] LENGTHS = {5, 16, 3, 24};

  static Stream<Arguments> models() {
    return Stream.of(
            TransformerConfig.gpt2(VOCABULARY, TIME, 2, 3, 12),
            TransformerConfig.llama(VOCABULARY, TIME, 2, 4, 16).withKeyValueHeads(2),
            TransformerConfig.qwen3(VOCABULARY, TIME, 2, 2, 16))
        .flatMap(
            config ->
                Stream.of(
                    Arguments.of(config, KernelBackend.ND4J, DataType.DOUBLE, 1e-12),
                    Arguments.of(config, KernelBackend.ONEDNN, DataType.FLOAT, 1e-5)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void lossesAndGradients_areThoseOfEachAlone(
      TransformerConfig config, KernelBackend backend, DataType type, double tolerance) {
    int[] inputs = TestModels.ids(2 * TIME, VOCABULARY, 1);
    int[] targets = TestModels.targets(2 * TIME, VOCABULARY, 2);
    try (Kernels kernels = backend.create();
        Transformer model = TestModels.random(config, type, 3);
        Workspace workspace = model.workspace(2, TIME);
        ParameterSet packed = ParameterSet.zeros(model.parameters().layout(), type);
        ParameterSet alone = ParameterSet.zeros(model.parameters().layout(), type)) {
      workspace.pack(LENGTHS);
      double loss = gradients(kernels, model, workspace, inputs, targets, packed);
      double sum = 0;
      int from = 0;
      for (int length : LENGTHS) {
        try (Workspace own = model.workspace(1, length)) {
          int[] ids = Arrays.copyOfRange(inputs, from, from + length);
          int[] next = Arrays.copyOfRange(targets, from, from + length);
          sum += gradients(kernels, model, own, ids, next, alone);
        }
        from += length;
      }
      assertEquals(sum, loss, tolerance * sum);
      double[] expected = Tensors.toDoubles(alone.flat());
      double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
      assertTrue(largest > 0);
      assertArrayEquals(expected, Tensors.toDoubles(packed.flat()), tolerance * largest);
    }
  }

  private static double gradients(
      Kernels kernels,
      Transformer model,
      Workspace workspace,
      int[] inputs,
      int[] targets,
      ParameterSet into) {
    return model.lossAndGradients(
        kernels, workspace, inputs, targets, 1, DropoutSites.NONE, WriteMode.ADD, into);
  }

  @ParameterizedTest
  @MethodSource("models")
  void layout_isThatOfTheLastCall(
      TransformerConfig config, KernelBackend backend, DataType type, double tolerance) {
    int[] inputs = TestModels.ids(2 * TIME, VOCABULARY, 1);
    int[] targets = TestModels.targets(2 * TIME, VOCABULARY, 2);
    try (Kernels kernels = backend.create();
        Transformer model = TestModels.random(config, type, 3);
        Workspace workspace = model.workspace(2, TIME)) {
      double before = model.loss(kernels, workspace, inputs, targets, null);
      workspace.pack(LENGTHS);
      assertNotEquals(before, model.loss(kernels, workspace, inputs, targets, null));
      workspace.pack(TIME, TIME);
      assertEquals(
          before, model.loss(kernels, workspace, inputs, targets, null), tolerance * before);
      workspace.alignAll();
      assertEquals(before, model.loss(kernels, workspace, inputs, targets, null));
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void dropoutOfEachSequence_isItsOwn(
      TransformerConfig config, KernelBackend backend, DataType type) {
    TransformerConfig dropping = config.withDropout(0.3);
    int[] half = TestModels.ids(TIME, VOCABULARY, 1);
    int[] inputs = new int[2 * TIME];
    System.arraycopy(half, 0, inputs, 0, TIME);
    System.arraycopy(half, 0, inputs, TIME, TIME);
    int[] targets = new int[2 * TIME];
    DropoutSites sites = TestModels.dropout(config, 0.3, CounterRandom.of(5), 0);
    try (Kernels kernels = backend.create();
        Transformer model = TestModels.random(dropping, type, 3);
        Workspace workspace = model.workspace(2, TIME)) {
      workspace.pack(TIME, TIME);
      Workspace any = workspace;
      try (ParameterSet set = ParameterSet.zeros(model.parameters().layout(), type)) {
        model.lossAndGradients(kernels, any, inputs, targets, 1, sites, WriteMode.ADD, set);
      }
      double[] attended = Tensors.toDoubles(workspace.activations.blocks.get(0).attended());
      int n = attended.length / 2;
      assertNotEquals(
          Arrays.toString(Arrays.copyOfRange(attended, 0, n)),
          Arrays.toString(Arrays.copyOfRange(attended, n, 2 * n)));
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void wrongLengths_areRefused(TransformerConfig config, KernelBackend backend, DataType type) {
    try (Transformer model = Transformer.zeros(config, type);
        Workspace workspace = model.workspace(2, TIME)) {
      assertThrows(IllegalArgumentException.class, () -> workspace.pack(TIME));
      assertThrows(IllegalArgumentException.class, () -> workspace.pack(TIME + 1, TIME - 1));
      assertThrows(IllegalArgumentException.class, () -> workspace.pack(0, TIME, TIME));
    }
  }
}
