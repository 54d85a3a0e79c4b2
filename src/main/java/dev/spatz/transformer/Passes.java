package dev.spatz.transformer;

import dev.spatz.kernel.Dropout;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WriteMode;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Passes over the weights of a model: {@link #forward} is the diagram of the architecture; {@link
 * #backward} and what it calls are its mirror image.
 */
final class Passes implements AutoCloseable {
  private final TransformerConfig config;
  private final ParameterSet parameters;
  private final @Nullable RotaryTable rotary;

  /** Attention of one layer, over whole sequences or over a cache. */
  interface Attention {
    void apply(int layer, INDArray qkv, INDArray out);
  }

  /** Passes over weights of a model, which must be open then. */
  Passes(TransformerConfig config, ParameterSet parameters) {
    this.config = config;
    this.parameters = parameters;
    this.rotary = config.gated() ? new RotaryTable(config, parameters.flat().dataType()) : null;
  }

  /** From ids to the normalized result of the last block, kept in the workspace. */
  void forward(
      Kernels kernels, Weights weights, Workspace workspace, int[] ids, DropoutSites dropout) {
    List<PackedSequence> sequences = workspace.packed();
    Attention attention =
        (layer, qkv, out) -> PackedSequence.attention(kernels, sequences, layer, dropout);
    Activations a = workspace.activations;
    forward(kernels, weights, ids, workspace.positions, workspace.time, a, attention, dropout);
    weights.norm().forward(kernels, a.output(), a.norm);
  }

  /** From ids to the residual stream after the last block. */
  void forward(
      Kernels kernels,
      Weights weights,
      int[] ids,
      int[] positions,
      int time,
      Activations activations,
      Attention attention,
      DropoutSites dropout) {
    parameters.requireOpen();
    INDArray x = activations.embedded; // (R,C)
    kernels.embed(ids, positions, weights.tokens(), weights.positions(), x);
    kernels.dropout(x, time, dropout.embedding(), x);
    for (int i = 0; i < config.layers(); i++) {
      Weights.Layer layer = weights.layers().get(i);
      Activations.Block a = activations.blocks.get(i);

      layer.attentionNorm().forward(kernels, x, a.attentionNorm());
      layer.qkv().forward(kernels, a.attentionNorm().values(), null, a.qkv()); // (R,(H+2G)·D)
      layer.queryKeyNorm().forward(kernels, a.qkv(), a.heads());
      rotate(kernels, a.qkv(), positions);
      attention.apply(i, a.qkv(), a.attended()); // (R,H·D)
      Dropout drop = dropout.attentionBranch(i);
      ResidualBranch.forward(
          kernels, layer.projection(), a.attended(), x, time, drop, a.middle()); // (R,C)

      layer.feedForwardNorm().forward(kernels, a.middle(), a.feedForwardNorm());
      layer.up().forward(kernels, a.feedForwardNorm().values(), null, a.hidden()); // (R,F or 2F)
      activate(kernels, a.hidden(), a.activated()); // (R,F)
      drop = dropout.feedForwardBranch(i);
      ResidualBranch.forward(
          kernels, layer.down(), a.activated(), a.middle(), time, drop, a.out()); // (R,C)
      x = a.out();
    }
  }

  /**
   * From the gradient of the last normalization's result to the gradients of all weights.
   *
   * @param mode of the gradients of linear maps; all others are added to
   */
  void backward(
      Kernels kernels,
      Weights weights,
      Workspace workspace,
      int[] ids,
      DropoutSites dropout,
      WriteMode mode,
      Weights gradients) {
    Activations a = workspace.activations;
    Workspace.Gradients d = workspace.gradients;
    INDArray dX = d.stream(); // (R,C)
    Tensors.zero(dX);
    weights.norm().backward(kernels, d.normalized(), a.output(), a.norm, dX, gradients.norm());
    for (int i = config.layers() - 1; i >= 0; i--) {
      Weights.Layer layer = weights.layers().get(i);
      Weights.Layer dLayer = gradients.layers().get(i);
      feedForwardBackward(kernels, layer, workspace, i, dropout, mode, dLayer);
      attentionBackward(kernels, layer, workspace, i, dropout, mode, dLayer);
    }
    kernels.dropout(dX, workspace.time, dropout.embedding(), dX);
    if (gradients.tokens() != null) {
      kernels.embedBackward(
          dX, ids, workspace.positions, gradients.tokens(), gradients.positions());
    }
  }

  private void feedForwardBackward(
      Kernels kernels,
      Weights.Layer layer,
      Workspace workspace,
      int i,
      DropoutSites dropout,
      WriteMode mode,
      Weights.Layer dLayer) {
    Activations.Block a = workspace.activations.blocks.get(i);
    Activations.Normalized norm = a.feedForwardNorm();
    Workspace.Gradients d = workspace.gradients;
    INDArray dX = d.stream();
    Dropout drop = dropout.feedForwardBranch(i);
    INDArray dBranch = ResidualBranch.backward(kernels, dX, workspace.time, drop, d);
    layer.down().backward(kernels, dBranch, a.activated(), d.activated(), mode, dLayer.down());
    activateBackward(kernels, d.activated(), a.hidden(), d.hidden());
    layer.up().backward(kernels, d.hidden(), norm.values(), d.normalized(), mode, dLayer.up());
    layer
        .feedForwardNorm()
        .backward(kernels, d.normalized(), a.middle(), norm, dX, dLayer.feedForwardNorm());
  }

  private void attentionBackward(
      Kernels kernels,
      Weights.Layer layer,
      Workspace workspace,
      int i,
      DropoutSites dropout,
      WriteMode mode,
      Weights.Layer dLayer) {
    Activations.Block a = workspace.activations.blocks.get(i);
    Activations.Normalized norm = a.attentionNorm();
    Workspace.Gradients d = workspace.gradients;
    INDArray x = workspace.activations.input(i);
    INDArray dX = d.stream();
    Dropout drop = dropout.attentionBranch(i);
    INDArray dBranch = ResidualBranch.backward(kernels, dX, workspace.time, drop, d);
    layer
        .projection()
        .backward(kernels, dBranch, a.attended(), d.attended(), mode, dLayer.projection());
    PackedSequence.attentionBackward(kernels, workspace.packed(), i, dropout);
    rotateBackward(kernels, d.qkv(), workspace.positions);
    layer.queryKeyNorm().backward(kernels, d.qkv(), a.heads(), dLayer.queryKeyNorm());
    layer.qkv().backward(kernels, d.qkv(), norm.values(), d.normalized(), mode, dLayer.qkv());
    layer.attentionNorm().backward(kernels, d.normalized(), x, norm, dX, dLayer.attentionNorm());
  }

  private void rotate(Kernels kernels, INDArray qkv, int[] positions) {
    if (rotary != null) {
      kernels.rotate(qkv, positions, rotatedHeads(), rotary.cosines, rotary.sines);
    }
  }

  private void rotateBackward(Kernels kernels, INDArray dQkv, int[] positions) {
    if (rotary != null) {
      kernels.rotateBackward(dQkv, positions, rotatedHeads(), rotary.cosines, rotary.sines);
    }
  }

  private int rotatedHeads() {
    return config.heads() + config.keyValueHeads();
  }

  private void activate(Kernels kernels, INDArray hidden, INDArray activated) {
    switch (config.architecture()) {
      case GPT2 -> kernels.gelu(config.gelu(), hidden, activated);
      case LLAMA, QWEN2, QWEN3 -> kernels.swiGlu(hidden, activated);
    }
  }

  private void activateBackward(
      Kernels kernels, INDArray dActivated, INDArray hidden, INDArray dHidden) {
    switch (config.architecture()) {
      case GPT2 -> kernels.geluBackward(config.gelu(), dActivated, hidden, dHidden);
      case LLAMA, QWEN2, QWEN3 -> kernels.swiGluBackward(dActivated, hidden, dHidden);
    }
  }

  /** Frees the table of rotary positions; closing twice is fine. */
  @Override
  public void close() {
    if (rotary != null) {
      rotary.close();
    }
  }
}
