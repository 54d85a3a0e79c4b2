// Over 400 lines: the documentation of every operation.
package dev.spatz.kernel;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The arithmetic of training and inference, each operation's backward beside its forward.
 *
 * <p>Conventions, which hold unless an operation says otherwise:
 *
 * <ul>
 *   <li>Arrays are C order and contiguous (views of whole rows included), all of one data type (but
 *       see {@link Precision}), and belong to the caller. Nothing is allocated for the caller;
 *       results are written into the arrays that are passed in. The shapes of an operation are the
 *       shapes of its arrays; letters as in the package description.
 *   <li>Gradients of activations ({@code dX}) are overwritten, gradients of parameters ({@code
 *       dWeight}, {@code dGain}, {@code dBias}, …) are added to, so that they accumulate until they
 *       are zeroed. Those of matrices need no zeros to begin with: a {@link WriteMode} says whether
 *       they are overwritten or added to. A {@code null} gradient is not computed.
 *   <li>Arrays of one call do not overlap, unless the operation says which may be the same.
 * </ul>
 *
 * <p>An instance belongs to one thread at a time and runs on that thread alone: parallelism lies
 * above, in the shards of a batch. The thread's OpenMP width is 1 from its first operation until it
 * closes the instance. Operations are deterministic: the same arrays give the same bits.
 */
public interface Kernels extends AutoCloseable {

  // ---- embedding ----

  /**
   * {@code out[r] = tokens[ids[r]] (+ positionTable[positions[r]])}.
   *
   * @param ids token ids of the rows (R), each in 0…V−1
   * @param positions positions of the rows (R), each in 0…P−1
   * @param tokens token embeddings (V,C)
   * @param positionTable learned position embeddings (P,C), or null where there are none
   * @param out result (R,C)
   */
  void embed(
      int[] ids, int[] positions, INDArray tokens, @Nullable INDArray positionTable, INDArray out);

  /** Gradients of {@link #embed}: adds each row of {@code dOut} to the rows it came from. */
  void embedBackward(
      INDArray dOut,
      int[] ids,
      int[] positions,
      @Nullable INDArray dTokens,
      @Nullable INDArray dPositionTable);

  // ---- linear maps ----

  /**
   * {@code y = x·weightᵀ (+ bias) (+ residual)}.
   *
   * @param x input (R,I)
   * @param weight (O,I)
   * @param bias (O), or null
   * @param residual added to the result (R,O), may be {@code y} itself; or null
   * @param y result (R,O)
   */
  void linear(
      INDArray x,
      INDArray weight,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y);

  /**
   * Packs weights for {@link #linear(INDArray, PackedWeights, int, int, INDArray, INDArray,
   * INDArray)}.
   *
   * @param weight (O,I); it is copied
   * @param precision in which the copy is kept
   * @return packed weights, for all kernels of this kind; the caller closes them
   * @throws IllegalStateException if the precision is not possible here
   */
  PackedWeights pack(INDArray weight, WeightPrecision precision);

  /**
   * The columns of some slices of {@code y = x·weightᵀ (+ bias) (+ residual)}, the input rounded as
   * {@link WeightPrecision} says. The bits do not depend on how many slices are computed at once;
   * of float32 arrays, those of a row not on the number of rows.
   *
   * @param x input (R,I)
   * @param weight (O,I), made by kernels of the same kind
   * @param firstSlice of {@code weight.slices()}
   * @param slices how many, at least 1
   * @param bias (O), or null
   * @param residual added to the result (R,O), may be {@code y} itself; or null
   * @param y result (R,O), of which the slices' columns are written
   */
  void linear(
      INDArray x,
      PackedWeights weight,
      int firstSlice,
      int slices,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y);

  /** The same of all slices. */
  default void linear(
      INDArray x,
      PackedWeights weight,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y) {
    linear(x, weight, 0, weight.slices(), bias, residual, y);
  }

  /**
   * Writes a rounded matrix (O,I) into an array of its shape, for {@link #linear(INDArray,
   * INDArray, INDArray, INDArray, INDArray)} and its gradients.
   */
  void widen(RoundedMatrix matrix, INDArray out);

  /**
   * Gradients of {@link #linear(INDArray, INDArray, INDArray, INDArray, INDArray)}: {@code dX =
   * dY·weight}, that of the weight {@code dYᵀ·x}, that of the bias the column sums of {@code dY}.
   * (The residual's gradient is {@code dY} itself.)
   *
   * @param mode whether {@code dWeight} and {@code dBias} are overwritten or added to
   */
  void linearBackward(
      INDArray dY,
      INDArray x,
      INDArray weight,
      @Nullable INDArray dX,
      WriteMode mode,
      @Nullable INDArray dWeight,
      @Nullable INDArray dBias);

  // ---- low-rank updates ----

  /**
   * The update that a low-rank adapter (Hu et al. 2021) adds to some columns of a linear map's
   * result: {@code inner = x·aᵀ}, and {@code scale·inner·bᵀ} is added to columns {@code
   * firstColumn}…{@code firstColumn + O − 1} of {@code y}.
   *
   * @param x input of the linear map (R,I)
   * @param a from the input to the rank (r,I)
   * @param b from the rank to the columns (O,r)
   * @param inner result (R,r), kept for the backward
   * @param y changed in place (R,Y), Y at least {@code firstColumn} + O
   */
  void lowRank(
      INDArray x,
      INDArray a,
      INDArray b,
      double scale,
      int firstColumn,
      INDArray inner,
      INDArray y);

  /**
   * Gradients of {@link #lowRank}. Unlike other operations it <em>adds</em> to {@code dX}, which
   * already holds the linear map's own part.
   *
   * @param dInner result (R,r): the gradient of {@code inner}
   * @param mode whether {@code dA} and {@code dB} are overwritten or added to
   */
  void lowRankBackward(
      INDArray dY,
      INDArray x,
      INDArray a,
      INDArray b,
      double scale,
      int firstColumn,
      INDArray inner,
      INDArray dInner,
      @Nullable INDArray dX,
      WriteMode mode,
      @Nullable INDArray dA,
      @Nullable INDArray dB);

  // ---- normalizations ----

  /**
   * Layer normalization of each row (Ba et al. 2016): {@code y = (x − mean) · inverseDeviation ·
   * gain (+ bias)} with {@code inverseDeviation = 1/√(variance + epsilon)}, the variance divided by
   * C.
   *
   * @param x input (R,C)
   * @param gain (C)
   * @param bias (C), or null
   * @param y result (R,C)
   * @param mean result (R), kept for the backward
   * @param inverseDeviation result (R), kept for the backward
   */
  void layerNorm(
      INDArray x,
      INDArray gain,
      @Nullable INDArray bias,
      double epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation);

  /**
   * Gradients of {@link #layerNorm}. Unlike other operations it <em>adds</em> to {@code dX}: the
   * input of a normalization is the residual stream, whose gradient already holds the part that
   * bypasses the block.
   */
  void layerNormBackward(
      INDArray dY,
      INDArray x,
      INDArray gain,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dX,
      @Nullable INDArray dGain,
      @Nullable INDArray dBias);

  /**
   * Root-mean-square normalization of each row (Zhang and Sennrich 2019): {@code y = x · inverseRms
   * · gain} with {@code inverseRms = 1/√(mean(x²) + epsilon)}.
   *
   * @param x input (R,C)
   * @param gain (C)
   * @param y result (R,C)
   * @param inverseRms result (R), kept for the backward
   */
  void rmsNorm(INDArray x, INDArray gain, double epsilon, INDArray y, INDArray inverseRms);

  /** Gradients of {@link #rmsNorm}; <em>adds</em> to {@code dX} as {@link #layerNormBackward}. */
  void rmsNormBackward(
      INDArray dY,
      INDArray x,
      INDArray gain,
      INDArray inverseRms,
      INDArray dX,
      @Nullable INDArray dGain);

  /**
   * Root-mean-square normalization of each query and each key head by itself (Henry et al. 2020, as
   * Qwen3 has it), in place: {@code head = head · inverseRms · gain}. Values stay as they are;
   * {@code shape.time()} is not used.
   *
   * @param qkv queries, keys and values side by side (R,(H+2G)·D)
   * @param queryGain of all query heads (D)
   * @param keyGain of all key heads (D)
   * @param normalized result (R,(H+G)·D): the heads before the gains, kept for the backward
   * @param inverseRms result (R,H+G), kept for the backward
   */
  void queryKeyNorm(
      INDArray qkv,
      AttentionShape shape,
      INDArray queryGain,
      INDArray keyGain,
      double epsilon,
      INDArray normalized,
      INDArray inverseRms);

  /**
   * Gradients of {@link #queryKeyNorm}: {@code dQkv} is that of the result, and changed in place.
   */
  void queryKeyNormBackward(
      INDArray dQkv,
      AttentionShape shape,
      INDArray queryGain,
      INDArray keyGain,
      INDArray normalized,
      INDArray inverseRms,
      @Nullable INDArray dQueryGain,
      @Nullable INDArray dKeyGain);

  // ---- activations ----

  /** {@code y = gelu(x)} element by element (Hendrycks and Gimpel 2016), in the named form. */
  void gelu(Gelu form, INDArray x, INDArray y);

  /** Gradient of {@link #gelu}: {@code dX = dY · gelu′(x)}. {@code dX} may be {@code dY}. */
  void geluBackward(Gelu form, INDArray dY, INDArray x, INDArray dX);

  /**
   * SwiGLU (Shazeer 2020): {@code y = silu(gate) · up} with {@code silu(g) = g / (1 + e⁻ᵍ)}.
   *
   * @param gateUp gate and up side by side (R,2F): columns 0…F−1 are the gate
   * @param y result (R,F)
   */
  void swiGlu(INDArray gateUp, INDArray y);

  /** Gradient of {@link #swiGlu}: {@code dGateUp} (R,2F) is overwritten. */
  void swiGluBackward(INDArray dY, INDArray gateUp, INDArray dGateUp);

  // ---- dropout and sums ----

  /**
   * Zeroes each element of {@code x} (R,C) with the dropout's rate, and scales the others by 1/(1 −
   * rate); keeps all for {@link Dropout#NONE}. Its gradient is the same operation on the gradient.
   *
   * @param time positions of each sequence: row r belongs to sequence {@code r / time}
   * @param out (R,C), may be {@code x}
   */
  void dropout(INDArray x, int time, Dropout dropout, INDArray out);

  /** {@code out = a + b}; arrays of one shape; {@code out} may be {@code a} or {@code b}. */
  void add(INDArray a, INDArray b, INDArray out);

  // ---- attention ----

  /**
   * Rotary positions (Su et al. 2021) in the split-half form of Hugging Face: in each head of the
   * first {@code heads} heads of a row, the pair (x[i], x[i + D/2]) is turned by the angle of
   * frequency i at the row's position. In place.
   *
   * @param x rows of heads side by side (R, at least heads·D)
   * @param positions positions of the rows (R)
   * @param heads number of leading heads to turn (query and key heads)
   * @param cosines (P,D/2)
   * @param sines (P,D/2)
   */
  void rotate(INDArray x, int[] positions, int heads, INDArray cosines, INDArray sines);

  /** Gradient of {@link #rotate}: turns {@code dX} back, in place. */
  void rotateBackward(INDArray dX, int[] positions, int heads, INDArray cosines, INDArray sines);

  /**
   * Causal softmax attention within each sequence: position t attends to positions 0…t, scores
   * scaled by 1/√D. Query head h uses key/value head {@code h / (H/G)}.
   *
   * @param qkv queries, keys and values side by side (R,(H+2G)·D), sequences of {@code
   *     shape.time()} rows after each other
   * @param dropout applied to the attention weights
   * @param out result (R,H·D)
   */
  void attention(INDArray qkv, AttentionShape shape, Dropout dropout, INDArray out);

  /** Gradient of {@link #attention}; {@code dQkv} (R,(H+2G)·D) is overwritten. */
  void attentionBackward(
      INDArray dOut,
      INDArray qkv,
      INDArray out,
      AttentionShape shape,
      Dropout dropout,
      INDArray dQkv);

  /**
   * Attention of new rows of one sequence to all its rows so far: first stores the rows' keys and
   * values in the cache at positions {@code position}…{@code position + R − 1}, then attends
   * causally. {@code shape.time()} is not used. Threads can share the heads: only those of some
   * groups are stored and attend, each group a key/value head and the query heads that share it.
   *
   * @param qkv the new rows (R,(H+2G)·D)
   * @param position position of the first new row; the cache holds the rows before it
   * @param firstGroup of G
   * @param groups how many
   * @param keys cache (P/b,G,D,b): blocks of b positions, each head's transposed, so that a query
   *     meets them in the order in which they lie; finite numbers everywhere, also where nothing
   *     was stored yet
   * @param values cache (G,P,D), as finite
   * @param out result (R,H·D)
   */
  void attentionCached(
      INDArray qkv,
      AttentionShape shape,
      int position,
      int firstGroup,
      int groups,
      INDArray keys,
      INDArray values,
      INDArray out);

  // ---- head and loss ----

  /**
   * Cross-entropy of the model's head, forward and backward in one pass over chunks of rows, so
   * that the logits of a large vocabulary are never held whole.
   *
   * @param x last hidden states (R,C)
   * @param weight the head's weights (V,C)
   * @param targets the ids to predict (R), each in 0…V−1; a negative one is not counted
   * @param scale factor of the gradients: one over the number of counted tokens of the whole step
   * @param factors beside it, one for each row's gradients (R), of either sign; null: all 1
   * @param logits scratch (any number of rows, V): its rows are the chunk
   * @param losses result (R): −ln p(target) of each row, 0 where it is not counted; or null
   * @param dX result (R,C), or null: no gradients at all
   * @param mode whether {@code dWeight} is overwritten or added to
   * @param dWeight (V,C), or null
   * @return the sum of the losses, unscaled
   */
  double crossEntropy(
      INDArray x,
      INDArray weight,
      int[] targets,
      double scale,
      double @Nullable [] factors,
      INDArray logits,
      double @Nullable [] losses,
      @Nullable INDArray dX,
      WriteMode mode,
      @Nullable INDArray dWeight);

  // ---- flat ranges: gradients and the optimizer ----

  /** Adds elements {@code from}…{@code to − 1} of {@code source} to those of {@code target}. */
  void addRange(INDArray target, INDArray source, long from, long to);

  /**
   * Rounds elements {@code from}…{@code to − 1} of a flat float32 array to bfloat16.
   *
   * @throws IllegalArgumentException if these kernels do not compute with bfloat16
   */
  void toBf16(INDArray source, INDArray target, long from, long to);

  /** The sum of the squares of elements {@code from}…{@code to − 1} of a flat array. */
  double sumOfSquares(INDArray array, long from, long to);

  /**
   * One AdamW step (Loshchilov and Hutter 2019, as PyTorch computes it) on elements {@code
   * from}…{@code to − 1} of flat arrays of one length.
   *
   * @param weights changed in place
   * @param gradients multiplied by {@code step.gradientScale()} when read, not changed
   * @param firstMoment changed in place
   * @param secondMoment changed in place
   * @param decay weight decay of this range, 0 for none
   */
  void adamW(
      INDArray weights,
      INDArray gradients,
      INDArray firstMoment,
      INDArray secondMoment,
      long from,
      long to,
      double decay,
      AdamWStep step);

  /**
   * One Muon step (Jordan et al. 2024) of a matrix: {@code moment = μ·moment + (1 − μ)·gradient};
   * the direction {@code (1 − μ)·gradient + μ·moment} (Nesterov) is orthogonalized by five
   * Newton–Schulz steps, which bring its singular values near 1; and {@code weights = (1 −
   * rate·decay)·weights − rate·√max(1, O/I)·direction}.
   *
   * @param weights (O,I), changed in place
   * @param gradients (O,I), multiplied by {@code step.gradientScale()} when read, not changed
   * @param moment (O,I), changed in place
   */
  void muon(INDArray weights, INDArray gradients, INDArray moment, MuonStep step);

  /** Bytes off the heap that the instance works in, as any thread may ask. */
  long bytes();

  /** Frees what the instance owns; closing twice is fine. */
  @Override
  void close();
}
