package dev.spatz.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a model on disk: one file, or several with an index that says which tensor is in
 * which.
 */
final class TensorFiles implements AutoCloseable {
  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  private final Path path;
  private final Map<String, Located> tensors = new TreeMap<>();
  private final Map<String, SafetensorsFile> files = new LinkedHashMap<>();

  /** A tensor and the file that it is in. */
  record Located(SafetensorsFile file, TensorInfo info) {
    /** Reads elements, see {@link SafetensorsFile#read}. */
    void read(long from, double[] into, int offset, int count) throws IOException {
      file.read(info, from, into, offset, count);
    }
  }

  private TensorFiles(Path path) {
    this.path = path;
  }

  /** Opens the files of a directory; the caller closes them. */
  static TensorFiles open(Path directory) throws IOException {
    Path single = directory.resolve(SINGLE);
    Path index = directory.resolve(INDEX);
    boolean sharded = !Files.exists(single) && Files.exists(index);
    TensorFiles files = new TensorFiles(sharded ? index : single);
    try {
      if (sharded) {
        files.addShards(directory);
      } else if (Files.exists(single)) {
        files.add(directory, SINGLE);
      } else {
        throw new InvalidFileException(
            directory,
            "the directory has neither "
                + SINGLE
                + " nor "
                + INDEX
                + "; weights in another form must be converted to safetensors");
      }
      return files;
    } catch (Throwable e) {
      files.close();
      throw e;
    }
  }

  private void add(Path directory, String name) throws IOException {
    SafetensorsFile file = SafetensorsFile.open(directory.resolve(name));
    files.put(name, file);
    for (String tensor : file.names()) {
      TensorInfo info = file.find(tensor);
      if (info != null && tensors.put(tensor, new Located(file, info)) != null) {
        throw new InvalidFileException(file.path(), "tensor " + tensor + " is in another file too");
      }
    }
  }

  /** The names of the files that an index names. */
  static Set<String> shards(Path index) throws IOException {
    JsonObject map = weightMap(index);
    Set<String> shards = new TreeSet<>();
    for (String tensor : map.keys()) {
      shards.add(shard(map, tensor));
    }
    return shards;
  }

  private static JsonObject weightMap(Path index) throws IOException {
    return JsonObject.read(index, JsonObject.LARGEST_BYTES).requireObject("weight_map");
  }

  /** The file of a tensor. Its name comes from a file: it must not lead out of the directory. */
  private static String shard(JsonObject map, String tensor) throws InvalidFileException {
    String shard = map.text(tensor);
    if (!shard.matches("[A-Za-z0-9_][A-Za-z0-9._-]*\\.safetensors")) {
      throw map.invalid(tensor, "it must be the name of a .safetensors file in this directory");
    }
    return shard;
  }

  private void addShards(Path directory) throws IOException {
    JsonObject map = weightMap(path);
    Map<String, String> shards = new HashMap<>();
    for (String tensor : map.keys()) {
      String shard = shard(map, tensor);
      shards.put(tensor, shard);
      if (!files.containsKey(shard)) {
        if (!Files.exists(directory.resolve(shard))) {
          throw map.invalid(tensor, "there is no such file");
        }
        add(directory, shard);
      }
    }
    for (Map.Entry<String, String> entry : shards.entrySet()) {
      Located tensor = tensors.get(entry.getKey());
      if (tensor == null || tensor.file() != files.get(entry.getValue())) {
        throw map.invalid(entry.getKey(), "that file has no such tensor");
      }
    }
  }

  /** The file that messages name. */
  Path path() {
    return path;
  }

  /** The names of all tensors, sorted. */
  Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  /** The tensor of a name, or null. */
  @Nullable Located find(String name) {
    return tensors.get(name);
  }

  /** Bytes of all tensors. */
  long bytes() {
    return tensors.values().stream().mapToLong(tensor -> tensor.info().bytes()).sum();
  }

  @Override
  public void close() throws IOException {
    for (SafetensorsFile file : files.values()) {
      file.close();
    }
  }
}
