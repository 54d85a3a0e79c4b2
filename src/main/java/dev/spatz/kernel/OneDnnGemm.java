package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnn.check;
import static dev.spatz.kernel.OneDnnProduct.ACCUMULATE;
import static dev.spatz.kernel.OneDnnProduct.ADDEND;
import static dev.spatz.kernel.OneDnnProduct.BIAS;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_sgemm;

/**
 * Products of single float32 matrices by oneDNN's routine in the manner of BLAS, which packs both
 * operands block by block into memory that each call takes and gives back, some 20 MB. Its
 * primitives read large rows in place, which displace each other from the cache where they are
 * whole pages apart, as those of GPT-2 are.
 */
final class OneDnnGemm {
  /** Columns of a result that is not narrow, however many products each of its numbers sums. */
  private static final int WIDE = 512;

  /** Multiplications of a product that is not small. */
  private static final long LARGE = 1L << 27;

  private final NativeFloats.Cursor a = new NativeFloats.Cursor();
  private final NativeFloats.Cursor b = new NativeFloats.Cursor();
  private final NativeFloats.Cursor c = new NativeFloats.Cursor();

  /**
   * Whether this is the faster way for a product. Measured within training steps on 2 cores of Zen
   * 5, against primitives with B packed where that helps, in GFLOP/s a thread: gradients of weights
   * 225 against 212 (GPT-2), 209 against 190 (128 channels), those of inputs 232 against 215 and
   * 240 against 233, but 224 against 234 where the result is narrow; forward products 236 against
   * 220 (384 channels), but 192 against 220 where they are small.
   */
  static boolean suits(OneDnnProduct product) {
    return OneDnn.hasGemm()
        && product.operandType == dnnl_f32
        && product.resultType == dnnl_f32
        && !product.has(BIAS)
        && !product.has(ADDEND)
        && product.m > 1
        && (product.aRow == 1
            || product.aColumn == 1 && (product.bColumn == 1 ? isWide(product) : isLarge(product)))
        && (product.bRow == 1 || product.bColumn == 1);
  }

  private static boolean isWide(OneDnnProduct product) {
    return product.n >= WIDE || product.n >= product.k;
  }

  private static boolean isLarge(OneDnnProduct product) {
    return product.m * product.n * product.k >= LARGE;
  }

  /** Runs a product that it {@link #suits}, of matrices at these addresses. */
  void run(OneDnnProduct product, float factor, long aAt, long bAt, long cAt) {
    boolean turnA = product.aColumn != 1;
    boolean turnB = product.bColumn != 1;
    check(
        dnnl_sgemm(
            letter(turnA),
            letter(turnB),
            product.m,
            product.n,
            product.k,
            product.scale * factor,
            a.at(aAt),
            turnA ? leading(product.aColumn, product.m) : leading(product.aRow, product.k),
            b.at(bAt),
            turnB ? leading(product.bColumn, product.k) : leading(product.bRow, product.n),
            product.has(ACCUMULATE) ? 1 : 0,
            c.at(cAt),
            leading(product.cRow, product.n)),
        "matrix product");
  }

  /** How far rows are apart; a single one may have any stride, but the routine looks at it. */
  private static long leading(long stride, long width) {
    return Math.max(stride, width);
  }

  private static byte letter(boolean turned) {
    return (byte) (turned ? 'T' : 'N');
  }
}
