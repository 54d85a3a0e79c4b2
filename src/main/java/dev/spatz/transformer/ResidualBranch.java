package dev.spatz.transformer;

import dev.spatz.kernel.Dropout;
import dev.spatz.kernel.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The end of a block's branch: its last map, dropout, and the way back into the stream. */
final class ResidualBranch {
  private ResidualBranch() {}

  /** {@code out = residual + dropout(map(x))}. */
  static void forward(
      Kernels kernels,
      LinearMap map,
      INDArray x,
      INDArray residual,
      int time,
      Dropout dropout,
      INDArray out) {
    if (dropout.active()) {
      map.forward(kernels, x, null, out);
      kernels.dropout(out, time, dropout, out);
      kernels.add(residual, out, out);
    } else {
      map.forward(kernels, x, residual, out);
    }
  }

  /** The gradient of a branch's map: that of the stream, dropped out where the forward was. */
  static INDArray backward(
      Kernels kernels, INDArray dX, int time, Dropout dropout, Workspace.Gradients d) {
    if (!dropout.active()) {
      return dX;
    }
    kernels.dropout(dX, time, dropout, d.branch());
    return d.branch();
  }
}
