package dev.spatz.checkpoint;

import dev.spatz.kernel.Tensors;
import dev.spatz.training.TrainingState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code optimizer.safetensors}: the arrays of a training run beside the weights, each a tensor of
 * one dimension.
 */
final class OptimizerFile implements TrainingState.Source {
  static final String NAME = "optimizer.safetensors";

  /** Elements copied at a time. */
  private static final int BLOCK = 1 << 16;

  private final SafetensorsFile file;

  private OptimizerFile(SafetensorsFile file) {
    this.file = file;
  }

  /** Writes the arrays into a new file of a checkpoint. */
  static void write(Path directory, Map<String, INDArray> arrays) throws IOException {
    List<SafetensorsWriter.Tensor> tensors = new ArrayList<>();
    arrays.forEach(
        (name, array) ->
            tensors.add(
                new SafetensorsWriter.Tensor(
                    TensorInfo.of(name, type(array), List.of(array.length())),
                    writer -> write(array, writer))));
    SafetensorsWriter.write(directory.resolve(NAME), Map.of(), tensors);
  }

  private static void write(INDArray array, SafetensorsWriter writer) throws IOException {
    double[] block = new double[(int) Math.min(array.length(), BLOCK)];
    for (long done = 0; done < array.length(); done += block.length) {
      int count = (int) Math.min(block.length, array.length() - done);
      Tensors.read(array, done, block, 0, count);
      writer.write(block, 0, count);
    }
  }

  /** Has something read the arrays of a checkpoint. */
  interface Reading {
    void from(TrainingState.Source source) throws IOException;
  }

  /** Opens the file of a checkpoint while it is read. */
  static void read(Path directory, Reading reading) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(directory.resolve(NAME))) {
      reading.from(new OptimizerFile(file));
    }
  }

  @Override
  public void read(String name, INDArray into) throws IOException {
    TensorInfo info = file.find(name);
    if (info == null || info.type() != type(into) || !info.shape().equals(List.of(into.length()))) {
      throw new InvalidFileException(
          file.path(),
          "it must have a tensor " + name + " of " + into.length() + " elements of " + type(into));
    }
    double[] block = new double[(int) Math.min(into.length(), BLOCK)];
    for (long done = 0; done < into.length(); done += block.length) {
      int count = (int) Math.min(block.length, into.length() - done);
      file.read(info, done, block, 0, count);
      Tensors.write(into, done, block, 0, count);
    }
  }

  private static TensorType type(INDArray array) {
    return array.dataType() == DataType.DOUBLE ? TensorType.F64 : TensorType.F32;
  }
}
