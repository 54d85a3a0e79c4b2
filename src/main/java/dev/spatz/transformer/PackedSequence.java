package dev.spatz.transformer;

import dev.spatz.kernel.AttentionShape;
import dev.spatz.kernel.Dropout;
import dev.spatz.kernel.Kernels;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rows of a pass within which attention stays: one sequence among others of other lengths, or all
 * sequences where they are equally long. Views of what attention reads and writes.
 *
 * @param shape with the length of the sequence
 * @param layers activations of each layer
 * @param dAttended gradient of {@link Layer#attended}
 * @param dQkv gradient of {@link Layer#qkv}
 */
record PackedSequence(AttentionShape shape, List<Layer> layers, INDArray dAttended, INDArray dQkv) {

  /**
   * One layer's activations.
   *
   * @param qkv (R,(H+2G)·D)
   * @param attended (R,H·D)
   */
  record Layer(INDArray qkv, INDArray attended) {}

  /** Attention of one layer, each sequence for itself. */
  static void attention(
      Kernels kernels, List<PackedSequence> sequences, int layer, DropoutSites dropout) {
    for (int i = 0; i < sequences.size(); i++) {
      PackedSequence own = sequences.get(i);
      Layer a = own.layers.get(layer);
      Dropout drop = dropout.attentionWeights(layer, i, sequences.size());
      kernels.attention(a.qkv, own.shape, drop, a.attended);
    }
  }

  /** Backward of {@link #attention}. */
  static void attentionBackward(
      Kernels kernels, List<PackedSequence> sequences, int layer, DropoutSites dropout) {
    for (int i = 0; i < sequences.size(); i++) {
      PackedSequence own = sequences.get(i);
      Layer a = own.layers.get(layer);
      Dropout drop = dropout.attentionWeights(layer, i, sequences.size());
      kernels.attentionBackward(own.dAttended, a.qkv, a.attended, own.shape, drop, own.dQkv);
    }
  }
}
