package dev.spatz.checkpoint;

import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Reads the weights of a model from its safetensors files; {@link WeightsWriter} is its mirror. */
final class WeightsReader {
  /** Elements copied at a time. */
  private static final int BLOCK = 1 << 16;

  private final ParameterSet parameters;

  private WeightsReader(ParameterSet parameters) {
    this.parameters = parameters;
  }

  /**
   * Reads a model; the caller closes it. Its memory is taken only after all tensors have been found
   * with the shapes that the configuration asks for.
   *
   * @param type of the model's weights
   * @throws InvalidFileException if the files do not hold exactly the model's tensors
   */
  static Transformer read(Path directory, ConfigFile config, DataType type) throws IOException {
    try (TensorFiles files = TensorFiles.open(directory)) {
      TensorMatch match = TensorMatch.of(config, files);
      return filled(Transformer.zeros(config.shape(), type), match);
    }
  }

  /**
   * The same of a model that stays as it is, see {@link Transformer#frozen}: its matrices are never
   * all there in float32.
   *
   * @param precision of the matrices
   */
  static Transformer readFrozen(Path directory, ConfigFile config, WeightPrecision precision)
      throws IOException {
    try (TensorFiles files = TensorFiles.open(directory)) {
      TensorMatch match = TensorMatch.of(config, files);
      Transformer transformer =
          Transformer.frozen(
              config.shape(),
              DataType.FLOAT,
              precision,
              (parameter, into) -> readMatrix(match, parameter, into));
      return filled(transformer, match);
    }
  }

  private static Transformer filled(Transformer transformer, TensorMatch match) throws IOException {
    try {
      new WeightsReader(transformer.parameters()).read(match);
      return transformer;
    } catch (Throwable e) {
      transformer.close();
      throw e;
    }
  }

  private static void readMatrix(TensorMatch match, String parameter, INDArray into)
      throws IOException {
    for (Map.Entry<TensorMapping, TensorFiles.Located> entry : match.tensors().entrySet()) {
      if (parameter.equals(entry.getKey().parameter())) {
        read(entry.getKey(), entry.getValue(), into);
      }
    }
  }

  private void read(TensorMatch match) throws IOException {
    for (Map.Entry<TensorMapping, TensorFiles.Located> entry : match.tensors().entrySet()) {
      String parameter = entry.getKey().parameter();
      if (parameter == null) {
        requireZeros(entry.getKey(), entry.getValue());
      } else if (parameters.has(parameter)) { // else it is frozen
        read(entry.getKey(), entry.getValue(), parameters.get(parameter));
      }
    }
    TensorFiles.Located head = match.tiedHead();
    if (head != null) {
      requireSame(head, match.embeddings());
    }
  }

  private static void read(TensorMapping mapping, TensorFiles.Located tensor, INDArray parameter)
      throws IOException {
    if (mapping.transposed()) {
      readTransposed(mapping, tensor, parameter);
    } else {
      readRows(mapping, tensor, parameter);
    }
  }

  private static void requireZeros(TensorMapping mapping, TensorFiles.Located tensor)
      throws IOException {
    long elements = mapping.elements();
    double[] block = new double[(int) Math.min(elements, BLOCK)];
    for (long done = 0; done < elements; done += block.length) {
      int count = (int) Math.min(block.length, elements - done);
      tensor.read(done, block, 0, count);
      for (int i = 0; i < count; i++) {
        if (block[i] != 0) {
          throw new InvalidFileException(
              tensor.file().path(),
              String.format(
                  Locale.ROOT,
                  "tensor %s has a value of %s, but %s says that the model has no biases (%s.biases)",
                  tensor.info().name(),
                  block[i],
                  ConfigFile.NAME,
                  ConfigFile.OWN));
        }
      }
    }
  }

  private static void readRows(
      TensorMapping mapping, TensorFiles.Located tensor, INDArray parameter) throws IOException {
    long elements = mapping.elements();
    double[] block = new double[(int) Math.min(elements, BLOCK)];
    for (long done = 0; done < elements; done += block.length) {
      int count = (int) Math.min(block.length, elements - done);
      tensor.read(done, block, 0, count);
      Tensors.write(parameter, mapping.firstElement() + done, block, 0, count);
    }
  }

  /** The file's lines are the parameter's columns: takes as many of them as fit a block. */
  private static void readTransposed(
      TensorMapping mapping, TensorFiles.Located tensor, INDArray parameter) throws IOException {
    int lines = mapping.lines();
    int width = mapping.width();
    int many = WeightsWriter.lines(lines, width);
    double[] block = new double[Math.multiplyExact(many, width)];
    double[] part = new double[many];
    for (int line = 0; line < lines; line += many) {
      int count = Math.min(many, lines - line);
      tensor.read((long) line * width, block, 0, count * width);
      for (int row = 0; row < width; row++) {
        for (int i = 0; i < count; i++) {
          part[i] = block[i * width + row];
        }
        Tensors.write(parameter, (long) row * lines + line, part, 0, count);
      }
    }
  }

  /** A head that is tied to the embeddings may be in the files a second time, with equal values. */
  private static void requireSame(TensorFiles.Located head, TensorFiles.Located embeddings)
      throws IOException {
    long elements = head.info().elements();
    double[] block = new double[(int) Math.min(elements, BLOCK)];
    double[] other = new double[block.length];
    for (long done = 0; done < elements; done += block.length) {
      int count = (int) Math.min(block.length, elements - done);
      head.read(done, block, 0, count);
      embeddings.read(done, other, 0, count);
      if (!Arrays.equals(block, 0, count, other, 0, count)) {
        throw new InvalidFileException(
            head.file().path(),
            String.format(
                Locale.ROOT,
                "tensor %s differs from %s, but tie_word_embeddings in %s says that they are one",
                head.info().name(),
                embeddings.info().name(),
                ConfigFile.NAME));
      }
    }
  }
}
