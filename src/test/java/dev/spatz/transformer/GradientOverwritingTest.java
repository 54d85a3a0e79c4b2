package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WriteMode;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** A step's first pass need not find zeros: it leaves nothing of the gradients before. */
class GradientOverwritingTest {
  private static final int SEQUENCES = 3;
  private static final int TIME = 5;
  private static final int VOCABULARY = 7;

  private final int[] inputs = TestModels.ids(SEQUENCES * TIME, VOCABULARY, 1);
  private final int[] targets = TestModels.targets(SEQUENCES * TIME, VOCABULARY, 2);

  static Stream<Arguments> models() {
    return TransformerGradientTest.configs()
        .flatMap(
            config ->
                Stream.of(
                    Arguments.of(config, KernelBackend.ND4J, DataType.DOUBLE, 1e-15),
                    Arguments.of(config, KernelBackend.ONEDNN, DataType.FLOAT, 1e-6)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void overwritten_areThoseAddedToZeros(
      TransformerConfig config, KernelBackend backend, DataType type, double tolerance) {
    assumeTrue(
        backend == KernelBackend.ND4J || KernelBackend.choose() == backend,
        "these kernels are not oneDNN's");
    try (Kernels kernels = backend.create();
        Transformer model = TestModels.random(config, type, 3);
        Workspace workspace = model.workspace(SEQUENCES, TIME);
        ParameterSet added = ParameterSet.zeros(model.trained().layout(), type);
        ParameterSet overwritten = ParameterSet.zeros(model.trained().layout(), type)) {
      TestModels.spoil(overwritten);
      for (WriteMode mode : WriteMode.values()) {
        model.lossAndGradients(
            kernels,
            workspace,
            inputs,
            targets,
            TestModels.scale(targets),
            workspace.dropout(CounterRandom.of(4), 0),
            mode,
            mode == WriteMode.ADD ? added : overwritten);
      }
      double error =
          TestModels.relativeError(
              Tensors.toDoubles(overwritten.flat()), Tensors.toDoubles(added.flat()));
      assertTrue(error <= tolerance, "differs by " + error);
    }
  }
}
