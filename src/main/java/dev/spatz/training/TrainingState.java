package dev.spatz.training;

import java.io.IOException;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a training run needs, beside the model's weights, to go on as if it had never stopped.
 *
 * @param progress the numbers
 * @param arrays by name: the best weights, the sum of the averaged ones if it has begun, what the
 *     optimizer remembers, and the reference's log-probabilities of answers that are compared. They
 *     are the trainer's own, and change with its next step
 */
public record TrainingState(TrainingProgress progress, Map<String, INDArray> arrays) {

  /** Keeps a state, before it returns. */
  public interface Keeper {
    /**
     * Is called between two steps; the model's weights are those after the last one.
     *
     * @throws IOException if the state cannot be kept, which ends the run
     */
    void keep(TrainingState state) throws IOException;
  }

  /** Fills the arrays of a state that was kept. */
  public interface Source {
    /** Writes all elements of the array that is kept under a name. */
    void read(String name, INDArray into) throws IOException;
  }
}
