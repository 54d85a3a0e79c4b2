package dev.spatz.checkpoint;

import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a model, found in its files.
 *
 * @param tensors where each is
 * @param embeddings the token embeddings among them
 * @param tiedHead the head of a model with tied embeddings, if the files have it a second time
 */
record TensorMatch(
    Map<TensorMapping, TensorFiles.Located> tensors,
    TensorFiles.Located embeddings,
    TensorFiles.@Nullable Located tiedHead) {
  private static final String HEAD = "lm_head.weight";

  /** So many layers are looked for, even if the files have fewer tensors than that. */
  private static final int FEW_LAYERS = 32;

  /** Of a kind of faulty tensors, so many are named, and the others counted. */
  private static final int MOST_NAMED = 20;

  /** Memory for rotary positions that files of any size may ask for. */
  private static final long SMALL_TABLE = 1L << 26;

  /**
   * Finds all tensors.
   *
   * @throws InvalidFileException if tensors are missing, unexpected, of another shape or of a type
   *     that is not read; some of each are named
   */
  static TensorMatch of(ConfigFile config, TensorFiles files) throws IOException {
    requireModest(config, files);
    ModelFormat format = config.format();
    Map<TensorMapping, TensorFiles.Located> found = new LinkedHashMap<>();
    List<String> missing = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    Set<String> unexpected = new TreeSet<>(files.names());
    unexpected.removeIf(name -> format.isBuffer(withoutPrefix(name, format)));
    TensorFiles.Located embeddings = null;
    boolean tied = config.shape().tiedEmbeddings();
    for (TensorMapping mapping : format.tensors(config.shape())) {
      TensorFiles.Located tensor = find(mapping.name(), format, files);
      if (tensor == null && tied && mapping.isEmbeddings()) {
        tensor = files.find(HEAD); // of the two names of one matrix, the file has the other
      }
      if (tensor == null) {
        missing.add(mapping.name());
        continue;
      }
      embeddings = mapping.isEmbeddings() ? tensor : embeddings;
      found.put(mapping, tensor);
      unexpected.remove(tensor.info().name());
      addWrong(wrong, tensor.info(), mapping.shape());
    }
    TensorFiles.Located head = tied ? files.find(HEAD) : null;
    if (head != null && embeddings != null && head != embeddings) {
      unexpected.remove(HEAD);
      addWrong(wrong, head.info(), embeddings.info().shape());
    }
    List<String> faults = new ArrayList<>();
    addFault(faults, "missing", missing);
    addFault(faults, "unexpected", List.copyOf(unexpected));
    addFault(faults, "not as " + ConfigFile.NAME + " asks", wrong);
    if (embeddings == null || !faults.isEmpty()) {
      throw new InvalidFileException(
          files.path(),
          "the tensors are not those that "
              + ConfigFile.NAME
              + " describes; "
              + String.join("; ", faults));
    }
    return new TensorMatch(found, embeddings, head);
  }

  /** Refuses what costs memory without a tensor that proves it bounded by the files' size. */
  private static void requireModest(ConfigFile config, TensorFiles files)
      throws InvalidFileException {
    TransformerConfig shape = config.shape();
    if (shape.layers() > Math.max(FEW_LAYERS, files.names().size())) {
      throw new InvalidFileException(
          files.path(),
          String.format(
              Locale.ROOT,
              "%,d tensors cannot hold the %,d layers of %s",
              files.names().size(),
              shape.layers(),
              ConfigFile.NAME));
    }
    long table = (long) shape.contextLength() * shape.headSize() * Float.BYTES;
    if (shape.architecture() != Architecture.GPT2 && table > Math.max(SMALL_TABLE, files.bytes())) {
      throw config
          .json()
          .invalid(
              "max_position_embeddings",
              String.format(
                  Locale.ROOT,
                  "its rotary positions need %,d bytes, more than all weights; lower it",
                  table));
    }
  }

  private static TensorFiles.@Nullable Located find(
      String name, ModelFormat format, TensorFiles files) {
    TensorFiles.Located tensor = files.find(name);
    return tensor == null ? files.find(withoutPrefix(name, format)) : tensor;
  }

  private static String withoutPrefix(String name, ModelFormat format) {
    return name.startsWith(format.prefix()) ? name.substring(format.prefix().length()) : name;
  }

  static void addWrong(List<String> wrong, TensorInfo tensor, List<Long> shape) {
    if (!tensor.shape().equals(shape)) {
      wrong.add(
          String.format(
              Locale.ROOT, "%s of shape %s instead of %s", tensor.name(), tensor.shape(), shape));
    } else if (!tensor.type().readable()) {
      wrong.add(
          String.format(
              Locale.ROOT,
              "%s of type %s instead of F32, F16, BF16 or F64",
              tensor.name(),
              tensor.type()));
    }
  }

  static void addFault(List<String> faults, String kind, List<String> names) {
    if (!names.isEmpty()) {
      int named = Math.min(names.size(), MOST_NAMED);
      String more = named < names.size() ? ", and " + (names.size() - named) + " more" : "";
      faults.add(
          names.size() + " " + kind + ": " + String.join(", ", names.subList(0, named)) + more);
    }
  }
}
