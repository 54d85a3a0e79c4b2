package dev.spatz.transformer;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.Tensors;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An adapter in training.
 *
 * @param modules the matrices of the model that it changes
 * @param parameters its weights
 * @param matrices its weights as passes read them: the same, or bfloat16 copies
 */
record TrainedAdapter(
    LoraConfig config, List<LoraModule> modules, ParameterSet parameters, ParameterSet matrices) {

  /**
   * A new adapter, which changes nothing yet: B is zero, and A uniform within ±1/√I, as in Hugging
   * Face's PEFT, each from a random stream of its own.
   */
  static TrainedAdapter initialized(
      LoraConfig config, TransformerConfig model, DataType type, long seed) {
    List<LoraModule> modules = config.modules(model);
    ParameterSet parameters = ParameterSet.zeros(ParameterLayout.of(modules, config.rank()), type);
    for (LoraModule module : modules) {
      CounterRandom random = CounterRandom.of(seed).child(module.a().hashCode());
      double bound = 1 / Math.sqrt(module.inputs());
      double[] row = new double[module.inputs()];
      INDArray a = parameters.get(module.a());
      for (int r = 0; r < config.rank(); r++) {
        long first = (long) r * row.length;
        for (int i = 0; i < row.length; i++) {
          row[i] = bound * (2 * random.uniform(first + i) - 1);
        }
        Tensors.write(a, first, row, 0, row.length);
      }
    }
    return new TrainedAdapter(config, modules, parameters, parameters);
  }

  /** One that was trained already, to be trained on. */
  static TrainedAdapter of(LoraAdapter trained, DataType type) {
    List<LoraModule> modules = trained.modules();
    ParameterSet parameters =
        ParameterSet.zeros(ParameterLayout.of(modules, trained.config().rank()), type);
    for (LoraModule module : modules) {
      write(trained.a(module), parameters.get(module.a()));
      write(trained.b(module), parameters.get(module.b()));
    }
    return new TrainedAdapter(trained.config(), modules, parameters, parameters);
  }

  private static void write(float[] values, INDArray into) {
    Tensors.write(into, 0, values, 0, values.length);
  }

  /** The same with bfloat16 copies for the passes. */
  TrainedAdapter mixed() {
    return new TrainedAdapter(
        config, modules, parameters, ParameterSet.zeros(parameters.layout(), DataType.BFLOAT16));
  }
}
