package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.AdamWStep;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WriteMode;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logits, loss, every gradient and ten AdamW steps against PyTorch's in float64 (see {@link
 * PyTorchFixture}). What was reached is logged at level info.
 */
class PyTorchParityTest {
  private static final Logger LOG = LoggerFactory.getLogger(PyTorchParityTest.class);

  private static final double CLIP = 1;
  private static final double DECAY = 0.1;

  private Kernels kernels;

  /** The reference in float64, and in float32 what users get: the fastest kernels here. */
  private void use(DataType type) {
    kernels = (type == DataType.DOUBLE ? KernelBackend.ND4J : KernelBackend.choose()).create();
  }

  @AfterEach
  void close() {
    kernels.close();
  }

  static Stream<Arguments> variants() {
    return PyTorchFixture.VARIANTS.stream()
        .flatMap(
            variant ->
                Stream.of(
                    Arguments.of(variant, DataType.FLOAT), Arguments.of(variant, DataType.DOUBLE)));
  }

  /** PyTorch's tensors are stored rounded to float32, so float64 cannot come nearer than that. */
  private static double tensorTolerance(DataType type) {
    return type == DataType.DOUBLE ? 1e-7 : 1e-4;
  }

  private static double lossTolerance(DataType type) {
    return type == DataType.DOUBLE ? 1e-11 : 1e-4;
  }

  @ParameterizedTest
  @MethodSource("variants")
  void logits_equalPyTorchs(String variant, DataType type) {
    use(type);
    PyTorchFixture fixture = PyTorchFixture.load(variant);
    try (Transformer model = model(fixture, type)) {
      double[] logits = TestModels.logits(kernels, model, fixture.inputs, PyTorchFixture.SEQUENCES);
      report(
          variant,
          type,
          "logits",
          TestModels.relativeError(logits, fixture.logits),
          tensorTolerance(type));
    }
  }

  @ParameterizedTest
  @MethodSource("variants")
  void lossAndGradients_equalPyTorchs(String variant, DataType type) {
    use(type);
    PyTorchFixture fixture = PyTorchFixture.load(variant);
    try (Transformer model = model(fixture, type);
        Workspace workspace = workspace(model, fixture);
        ParameterSet gradients = like(model)) {
      double loss = meanLoss(fixture, model, workspace, gradients);
      report(variant, type, "loss", relativeError(loss, fixture.loss), lossTolerance(type));
      double worst = 0;
      for (PyTorchFixture.Piece piece : fixture.gradients()) {
        double[] actual = new double[piece.values().length];
        Tensors.read(gradients.flat(), piece.offset(), actual, 0, actual.length);
        double error = TestModels.relativeError(actual, piece.values());
        requireSmall(variant, type, piece.name(), error, tensorTolerance(type));
        worst = Math.max(worst, error);
      }
      report(variant, type, "gradients", worst, tensorTolerance(type));
    }
  }

  @ParameterizedTest
  @MethodSource("variants")
  void adamWSteps_equalPyTorchs(String variant, DataType type) {
    use(type);
    PyTorchFixture fixture = PyTorchFixture.load(variant);
    int steps = fixture.adamWLosses.length;
    try (Transformer model = model(fixture, type);
        Workspace workspace = workspace(model, fixture);
        ParameterSet gradients = like(model);
        ParameterSet first = like(model);
        ParameterSet second = like(model)) {
      ParameterLayout layout = model.parameters().layout();
      INDArray weights = model.parameters().flat();
      double worstLoss = 0;
      double worstNorm = 0;
      for (int step = 1; step <= steps; step++) {
        gradients.zero();
        double loss = meanLoss(fixture, model, workspace, gradients);
        double norm = Math.sqrt(kernels.sumOfSquares(gradients.flat(), 0, layout.elements()));
        worstLoss = Math.max(worstLoss, relativeError(loss, fixture.adamWLosses[step - 1]));
        worstNorm = Math.max(worstNorm, relativeError(norm, fixture.adamWGradientNorms[step - 1]));
        // As torch.nn.utils.clip_grad_norm_ scales.
        AdamWStep numbers =
            new AdamWStep(1e-3, 0.9, 0.99, 1e-8, step, Math.min(1, CLIP / (norm + 1e-6)));
        long[] bounds = {0, layout.matrixElements(), layout.elements()};
        double[] decays = {DECAY, 0};
        for (int range = 0; range < decays.length; range++) {
          kernels.adamW(
              weights,
              gradients.flat(),
              first.flat(),
              second.flat(),
              bounds[range],
              bounds[range + 1],
              decays[range],
              numbers);
        }
      }
      report(variant, type, "AdamW losses", worstLoss, lossTolerance(type));
      report(variant, type, "AdamW gradient norms", worstNorm, lossTolerance(type));
    }
  }

  private double meanLoss(
      PyTorchFixture fixture, Transformer model, Workspace workspace, ParameterSet gradients) {
    double scale = TestModels.scale(fixture.targets);
    return scale
        * model.lossAndGradients(
            kernels,
            workspace,
            fixture.inputs,
            fixture.targets,
            scale,
            DropoutSites.NONE,
            WriteMode.OVERWRITE,
            gradients);
  }

  private static Transformer model(PyTorchFixture fixture, DataType type) {
    Transformer model = Transformer.zeros(fixture.config, type);
    fixture.fill(model);
    return model;
  }

  private static Workspace workspace(Transformer model, PyTorchFixture fixture) {
    int sequences = PyTorchFixture.SEQUENCES;
    return model.workspace(sequences, fixture.inputs.length / sequences);
  }

  private static ParameterSet like(Transformer model) {
    return ParameterSet.zeros(model.parameters().layout(), model.dataType());
  }

  private static double relativeError(double actual, double expected) {
    return TestModels.relativeError(new double[] {actual}, new double[] {expected});
  }

  private static void report(
      String variant, DataType type, String what, double error, double tolerance) {
    LOG.info("{} {}: {} within {}", variant, type, what, "%.1e".formatted(error));
    requireSmall(variant, type, what, error, tolerance);
  }

  private static void requireSmall(
      String variant, DataType type, String what, double error, double tolerance) {
    assertTrue(
        error <= tolerance, () -> "%s %s: %s differ by %.2e".formatted(variant, type, what, error));
  }
}
