package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Random;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The same products one way and the other. */
class OneDnnGemmTest {
  private static final int ROOM = 600 * 600;

  private final Random random = new Random(5);
  private final INDArray a = gaussian();
  private final INDArray b = gaussian();
  private final INDArray expected = gaussian();
  private final INDArray actual = expected.dup('c');
  private OneDnnContext context;
  private OneDnnMatmul matmul;

  private INDArray gaussian() {
    INDArray array = Tensors.zeros(DataType.FLOAT, ROOM);
    double[] values = DoubleStream.generate(random::nextGaussian).limit(ROOM).toArray();
    Tensors.write(array, 0, values, 0, ROOM);
    return array;
  }

  @BeforeEach
  void open() {
    assumeTrue(OneDnn.obstacle().isEmpty() && OneDnn.hasGemm(), "no such routine here");
    context = new OneDnnContext();
    matmul = new OneDnnMatmul(context, 1);
  }

  @AfterEach
  void close() {
    // Null where the test was skipped.
    if (context != null) {
      context.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2,600,33,N,N",
    "65,13,7,N,N",
    "513,511,510,N,N",
    "3,2,1,N,N",
    "2,1,13,T,N",
    "511,64,300,T,N",
    "31,129,5,T,N",
    "513,512,514,N,T",
    "512,512,512,T,T"
  })
  void product_equalsPrimitives(int m, int n, int k, char turnA, char turnB) {
    int gap = 3; // rows lie within wider ones
    int aWidth = (turnA == 'T' ? m : k) + gap;
    int bWidth = (turnB == 'T' ? k : n) + gap;
    for (WriteMode mode : WriteMode.values()) {
      for (boolean whole : new boolean[] {false, true}) {
        (whole ? matmul.size(m, n, k) : matmul.size(1, m, n, k))
            .a(Tensors.address(a), 0, turnA == 'T' ? 1 : aWidth, turnA == 'T' ? aWidth : 1)
            .b(Tensors.address(b), 0, turnB == 'T' ? 1 : bWidth, turnB == 'T' ? bWidth : 1)
            .scale(0.5f)
            .times(3)
            .write(mode);
        if (whole) {
          assertTrue(matmul.byGemm(), "computed by a primitive");
        }
        matmul.into(Tensors.address(whole ? actual : expected), 0, n + gap);
      }
      float[] judged = Tensors.toFloats(expected);
      float[] found = Tensors.toFloats(actual);
      for (int i = 0; i < judged.length; i++) {
        assertEquals(judged[i], found[i], 1e-3, "element " + i);
      }
    }
  }
}
