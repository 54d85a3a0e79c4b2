package dev.spatz.checkpoint;

import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Writes the weights of a model as one safetensors file; {@link WeightsReader} is its mirror. */
final class WeightsWriter {
  /** Elements copied at a time. */
  private static final int BLOCK = 1 << 16;

  /** Elements transposed at a time, unless a single line has more. */
  private static final int TRANSPOSED_BLOCK = 1 << 20;

  /** Hugging Face's library asks for this: the tensors are laid out as PyTorch has them. */
  private static final Map<String, String> METADATA = Map.of("format", "pt");

  private final ParameterSet parameters;

  private WeightsWriter(ParameterSet parameters) {
    this.parameters = parameters;
  }

  /** Writes all weights as float32 into a new file. */
  static void write(Path path, Transformer transformer) throws IOException {
    WeightsWriter weights = new WeightsWriter(transformer.parameters());
    TransformerConfig shape = transformer.config();
    List<SafetensorsWriter.Tensor> tensors = new ArrayList<>();
    for (TensorMapping mapping : ModelFormat.of(shape.architecture()).tensors(shape)) {
      tensors.add(
          new SafetensorsWriter.Tensor(
              TensorInfo.of(mapping.name(), TensorType.F32, mapping.shape()),
              writer -> weights.write(mapping, writer)));
    }
    SafetensorsWriter.write(path, METADATA, tensors);
  }

  private void write(TensorMapping mapping, SafetensorsWriter writer) throws IOException {
    if (mapping.parameter() == null) {
      writeZeros(mapping, writer);
    } else if (mapping.transposed()) {
      writeTransposed(mapping, parameters.get(mapping.parameter()), writer);
    } else {
      writeRows(mapping, parameters.get(mapping.parameter()), writer);
    }
  }

  private static void writeZeros(TensorMapping mapping, SafetensorsWriter writer)
      throws IOException {
    long elements = mapping.elements();
    double[] zeros = new double[(int) Math.min(elements, BLOCK)];
    for (long done = 0; done < elements; done += zeros.length) {
      writer.write(zeros, 0, (int) Math.min(zeros.length, elements - done));
    }
  }

  private static void writeRows(TensorMapping mapping, INDArray parameter, SafetensorsWriter writer)
      throws IOException {
    long elements = mapping.elements();
    double[] block = new double[(int) Math.min(elements, BLOCK)];
    for (long done = 0; done < elements; done += block.length) {
      int count = (int) Math.min(block.length, elements - done);
      Tensors.read(parameter, mapping.firstElement() + done, block, 0, count);
      writer.write(block, 0, count);
    }
  }

  /** The file's lines are the parameter's columns: takes as many of them as fit a block. */
  private static void writeTransposed(
      TensorMapping mapping, INDArray parameter, SafetensorsWriter writer) throws IOException {
    int lines = mapping.lines();
    int width = mapping.width();
    int many = lines(lines, width);
    double[] block = new double[Math.multiplyExact(many, width)];
    double[] part = new double[many];
    for (int line = 0; line < lines; line += many) {
      int count = Math.min(many, lines - line);
      for (int row = 0; row < width; row++) {
        Tensors.read(parameter, (long) row * lines + line, part, 0, count);
        for (int i = 0; i < count; i++) {
          block[i * width + row] = part[i];
        }
      }
      writer.write(block, 0, count * width);
    }
  }

  /** How many of {@code lines} are transposed at a time. */
  static int lines(int lines, int width) {
    return Math.max(1, Math.min(lines, TRANSPOSED_BLOCK / width));
  }
}
