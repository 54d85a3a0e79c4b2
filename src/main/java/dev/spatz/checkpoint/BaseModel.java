package dev.spatz.checkpoint;

import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.Parameter;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.Transformer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What the provenance of a fine-tuned model says of the one that it began as. */
public final class BaseModel {
  private static final String PREFIX = "base ";

  /** The entry that tells which model it was: SHA-256 of its weights. */
  public static final String WEIGHTS = PREFIX + "weights SHA-256";

  private static final int BLOCK = 1 << 14;

  private BaseModel() {}

  /**
   * Describes a model, and the one that it began as itself, one {@code base} further.
   *
   * @param provenance of the model, null if nothing is known
   * @return entries for {@link Provenance#configuration()}
   */
  public static Map<String, String> describe(
      Transformer transformer, @Nullable Provenance provenance) {
    Map<String, String> base = new LinkedHashMap<>();
    base.put(WEIGHTS, digest(transformer));
    if (provenance != null) {
      base.put(PREFIX + "data SHA-256", provenance.dataDigest());
      base.put(PREFIX + "data bytes", Long.toString(provenance.dataBytes()));
      base.put(PREFIX + "seed", Long.toString(provenance.seed()));
      base.put(PREFIX + "library", provenance.libraryVersion());
      base.put(PREFIX + "date", provenance.date().toString());
      provenance
          .configuration()
          .forEach(
              (name, value) -> {
                if (name.startsWith(PREFIX)) {
                  base.put(PREFIX + name, value);
                }
              });
    }
    return base;
  }

  /**
   * SHA-256 of all weights as little-endian float32, as passes read them, parameter after parameter
   * in the order of the model's layout.
   */
  static String digest(Transformer transformer) {
    MessageDigest digest = Sha256Sums.digest();
    float[] values = new float[BLOCK];
    ByteBuffer bytes = ByteBuffer.allocate(BLOCK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (Parameter parameter : ParameterLayout.of(transformer.config()).parameters()) {
      try (INDArray array = Tensors.zeros(transformer.dataType(), parameter.shape())) {
        transformer.read(parameter.name(), array);
        for (long done = 0; done < parameter.size(); done += BLOCK) {
          int count = (int) Math.min(BLOCK, parameter.size() - done);
          Tensors.read(array, done, values, 0, count);
          bytes.asFloatBuffer().put(values, 0, count);
          digest.update(bytes.array(), 0, count * Float.BYTES);
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
