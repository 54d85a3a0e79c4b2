package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnnProduct.ACCUMULATE;
import static dev.spatz.kernel.OneDnnProduct.ADDEND;
import static dev.spatz.kernel.OneDnnProduct.BIAS;
import static dev.spatz.kernel.OneDnnProduct.FACTOR;
import static dev.spatz.kernel.OneDnnProduct.PACK;
import static dev.spatz.kernel.OneDnnProduct.SCALE;

/**
 * A matrix product or a batch of them, {@code C = scale·factor·A·B (+ bias) (+ addend) (+ C)}: of A
 * (M,K), B (K,N) and C (M,N), anywhere in memory and with any strides, all float32 unless {@link
 * #types} says otherwise. It is described and then run by {@link #into}; one object is described
 * again for each product, which allocates nothing.
 */
final class OneDnnMatmul {
  /** Fewer rows do not make up for packing B. */
  private static final int LEAST_PACKED_ROWS = 512;

  /** oneDNN pads packed operands to whole blocks of at most so many rows and columns. */
  private static final int LARGEST_BLOCK = 64;

  /** Rows of a block … */
  private static final int EVEN_ROWS = 64;

  /** … that matters where there are many. */
  private static final int LEAST_EVEN_ROWS = 4096;

  private final OneDnnContext context;
  private final int operation;
  private final OneDnnProduct product = new OneDnnProduct();
  private final OneDnnGemm gemm = new OneDnnGemm();
  private boolean whole;
  private long a;
  private long b;
  private float factor;
  private long bias;
  private long addend;

  OneDnnMatmul(OneDnnContext context, int operation) {
    this.context = context;
    this.operation = operation;
  }

  /**
   * Begins the description of a single product. The bits of a row may depend on the number of rows.
   */
  OneDnnMatmul size(long m, long n, long k) {
    size(1, m, n, k);
    whole = true;
    return this;
  }

  /** Begins the description of a batch: the number of products and their sizes. */
  OneDnnMatmul size(long batch, long m, long n, long k) {
    product.begin();
    whole = false;
    factor = 1;
    product.batch = batch;
    product.m = m;
    product.n = n;
    product.k = k;
    return this;
  }

  /** The type of A and B, and that of C; all else is float32, and so are the sums. */
  OneDnnMatmul types(int operands, int result) {
    product.operandType = operands;
    product.resultType = result;
    return this;
  }

  /** Where A is, and how far its matrices, rows and columns are apart. */
  OneDnnMatmul a(long address, long batchStride, long rowStride, long columnStride) {
    a = address;
    product.aBatch = batchStride;
    product.aRow = rowStride;
    product.aColumn = columnStride;
    return this;
  }

  /** Where B is, and how far its matrices, rows and columns are apart. */
  OneDnnMatmul b(long address, long batchStride, long rowStride, long columnStride) {
    b = address;
    product.bBatch = batchStride;
    product.bRow = rowStride;
    product.bColumn = columnStride;
    return this;
  }

  /** Adds a vector (N) to each row. */
  OneDnnMatmul bias(long address) {
    bias = address;
    product.add(BIAS);
    return this;
  }

  /** Multiplies the product, before anything but the bias is added, by a number of its shape. */
  OneDnnMatmul scale(float constant) {
    product.scale = constant;
    product.add(SCALE);
    return this;
  }

  /** Multiplies the product by a number that may change from run to run. */
  OneDnnMatmul times(float number) {
    factor = number;
    product.add(FACTOR);
    return this;
  }

  /**
   * Adds a dense matrix (rows,N) to each product; rows is M, or 1 for a vector to each row. A
   * matrix of M rows needs results without gaps between theirs: with gaps, oneDNN 3.11 adds other
   * rows.
   */
  OneDnnMatmul plus(long address, long rows) {
    addend = address;
    product.addendRows = rows;
    product.add(ADDEND);
    return this;
  }

  /** Adds to what is there. */
  OneDnnMatmul accumulate() {
    product.add(ACCUMULATE);
    return this;
  }

  /** Overwrites what is there, as a product does by itself, or adds to it. */
  OneDnnMatmul write(WriteMode mode) {
    return mode == WriteMode.ADD ? accumulate() : this;
  }

  /**
   * Brings B into oneDNN's own layout first, if it is to be read often enough: worth it for a B
   * whose columns are not the ones that are summed over.
   */
  OneDnnMatmul pack() {
    if (product.batch == 1 && product.m >= LEAST_PACKED_ROWS) {
      product.add(PACK);
    }
    return this;
  }

  /** Runs it: where C is, and how far its matrices and rows are apart. */
  void into(long address, long batchStride, long rowStride) {
    boolean single = product.batch == 1;
    product.cBatch = batchStride;
    product.cRow = rowStride;
    if (byGemm()) {
      gemm.run(product, factor, a, b, address);
    } else if (product.has(PACK)) {
      run(address);
    } else if (single
        && product.aRow == 1
        && product.m > LEAST_EVEN_ROWS
        && product.m % EVEN_ROWS != 0) {
      evenly(address);
    } else if (!single && product.k == 1) {
      oneByOne(address);
    } else {
      run(address);
    }
  }

  /** Whether the product that is described is one for {@link OneDnnGemm}. */
  boolean byGemm() {
    return whole && OneDnnGemm.suits(product);
  }

  /** oneDNN 3.11 takes a batch of single rows for columns if there are gaps between them. */
  private void oneByOne(long address) {
    long count = product.batch;
    product.batch = 1;
    for (long i = 0; i < count; i++) {
      run(address + OneDnn.width(product.resultType) * i * product.cBatch);
      a += OneDnn.width(product.operandType) * product.aBatch;
      b += OneDnn.width(product.operandType) * product.bBatch;
    }
  }

  /**
   * A product with the transpose of a plain matrix, the rows that fill no block by themselves:
   * 50,257 rows in one took a fifth longer with oneDNN 3.11 than so, of bfloat16.
   */
  private void evenly(long address) {
    long all = product.m;
    long even = all - all % EVEN_ROWS;
    product.m = even;
    into(address, 0, product.cRow);
    a += OneDnn.width(product.operandType) * even;
    product.m = all - even;
    into(address + OneDnn.width(product.resultType) * even * product.cRow, 0, product.cRow);
  }

  private void run(long address) {
    long operand = product.has(PACK) ? packed() : b;
    product.addTo(context.key(operation));
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      primitive = context.keep(product.create());
    }
    primitive.bind(0, a).bind(1, operand).bind(2, address);
    int next = 3;
    if (product.has(BIAS)) {
      primitive.bind(next++, bias);
    }
    if (product.has(FACTOR)) {
      primitive.bind(next++, context.number(factor));
    }
    if (product.has(ADDEND)) {
      primitive.bind(next, addend);
    }
    context.run(primitive);
  }

  /** The address of a copy of B in the layout that oneDNN likes best for this product. */
  private long packed() {
    product.addTo(context.key(operation + 1));
    OneDnnPrimitive packing = context.find();
    if (packing == null) {
      packing = context.keep(product.packing());
    }
    long elements = (product.k + LARGEST_BLOCK) * (product.n + LARGEST_BLOCK);
    long address = context.operand(OneDnn.width(product.operandType) * elements);
    context.run(packing.bind(0, b).bind(1, address));
    return address;
  }
}
