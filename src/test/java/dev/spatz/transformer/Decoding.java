package dev.spatz.transformer;

import dev.spatz.kernel.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One sequence with a decoder of its own. */
final class Decoding implements AutoCloseable {
  private final Decoder decoder;
  private final KeyValueCache cache;

  Decoding(Transformer model) {
    decoder = model.decoder();
    cache = model.cache();
  }

  INDArray accept(Kernels kernels, int... ids) {
    return decoder.accept(kernels, cache, ids);
  }

  void truncate(int length) {
    cache.truncate(length);
  }

  int position() {
    return cache.length();
  }

  int room() {
    return cache.room();
  }

  @Override
  public void close() {
    decoder.close();
    cache.close();
  }
}
