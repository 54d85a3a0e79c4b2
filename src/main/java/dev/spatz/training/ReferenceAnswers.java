package dev.spatz.training;

import dev.spatz.dataset.Sequences;
import dev.spatz.kernel.Tensors;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Log-probabilities that the model before training gave to the answers of all sequences. They are
 * measured once, and kept with the run's state, as the model of that time is not.
 */
final class ReferenceAnswers implements PreferenceObjective.Reference, AutoCloseable {
  private final int[] first;
  private final INDArray values;

  /** Room for the answers of these sequences. */
  ReferenceAnswers(Sequences sequences) {
    first = new int[Math.toIntExact(sequences.count()) + 1];
    for (int sequence = 1; sequence < first.length; sequence++) {
      first[sequence] = Math.addExact(first[sequence - 1], sequences.examples(sequence - 1));
    }
    values = Tensors.zeros(DataType.DOUBLE, first[first.length - 1]);
  }

  /** Takes those of a walk through every sequence. */
  void set(double[][] logProbabilities) {
    for (int sequence = 0; sequence < logProbabilities.length; sequence++) {
      double[] answers = logProbabilities[sequence];
      Tensors.write(values, first[sequence], answers, 0, answers.length);
    }
  }

  @Override
  public double of(int sequence, int answer) {
    return Tensors.get(values, first[sequence] + answer);
  }

  /** All of them, sequence by sequence. */
  INDArray values() {
    return values;
  }

  @Override
  public void close() {
    values.close();
  }
}
