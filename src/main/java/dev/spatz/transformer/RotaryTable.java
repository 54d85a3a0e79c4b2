package dev.spatz.transformer;

import dev.spatz.kernel.Tensors;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Cosines and sines (P,D/2) of the rotary angles: position p and frequency i turn by {@code p ·
 * theta^(−2i/D)} (Su et al. 2021), scaled.
 */
final class RotaryTable implements AutoCloseable {
  final INDArray cosines;
  final INDArray sines;

  RotaryTable(TransformerConfig config, DataType type) {
    int positions = config.contextLength();
    int frequencies = config.headSize() / 2;
    double[] cosine = new double[positions * frequencies];
    double[] sine = new double[positions * frequencies];
    for (int i = 0; i < frequencies; i++) {
      double frequency =
          config.ropeScaling().scaled(Math.pow(config.ropeTheta(), -2.0 * i / config.headSize()));
      for (int position = 0; position < positions; position++) {
        cosine[position * frequencies + i] = Math.cos(position * frequency);
        sine[position * frequencies + i] = Math.sin(position * frequency);
      }
    }
    cosines = Tensors.zeros(type, positions, frequencies);
    sines = Tensors.zeros(type, positions, frequencies);
    Tensors.write(cosines, 0, cosine, 0, cosine.length);
    Tensors.write(sines, 0, sine, 0, sine.length);
  }

  /** Bytes off the heap of the table of a model; 0 if it has none. */
  static long bytes(TransformerConfig config, DataType type) {
    if (!config.gated()) {
      return 0;
    }
    return 2L * config.contextLength() * (config.headSize() / 2) * type.width();
  }

  @Override
  public void close() {
    cosines.close();
    sines.close();
  }
}
