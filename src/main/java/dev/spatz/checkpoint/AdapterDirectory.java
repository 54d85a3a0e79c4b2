package dev.spatz.checkpoint;

import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraModule;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An adapter on disk: a directory in the layout of Hugging Face's PEFT, which loads there too.
 *
 * <ul>
 *   <li>{@code adapter_config.json}: rank, scale and which matrices
 *   <li>{@code adapter_model.safetensors}: {@code base_model.model.….lora_A.weight} (r,I) and
 *       {@code ….lora_B.weight} (O,r) of each
 *   <li>{@code README.md}: the model card, for people
 * </ul>
 */
public final class AdapterDirectory {
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String README = "README.md";
  private static final Set<String> NAMES = Set.of(AdapterConfigFile.NAME, WEIGHTS, README);
  private static final String PREFIX = "base_model.model.";
  private static final int BLOCK = 1 << 16;

  /** Our own entries in the metadata of the weights; other programs pass over them. */
  private static final String OWN = "spatz ";

  private static final String VERSION = OWN + "library";

  private AdapterDirectory() {}

  /**
   * Saves an adapter, whole or not at all, as {@link ModelDirectory#save} does.
   *
   * @param directory which does not exist, is empty, or holds an adapter that was saved by this
   *     method and nothing else
   * @param model shape of the model that it is for
   * @throws IllegalArgumentException if the adapter is for a model of another shape
   * @throws IOException if the directory holds anything else, or writing fails
   */
  public static void save(Path directory, LoraAdapter adapter, TransformerConfig model)
      throws IOException {
    adapter.requireFits(model);
    new AtomicDirectory(directory, new Content(adapter, model)).replace();
  }

  /**
   * Loads an adapter.
   *
   * @param directory that was saved by this class or by PEFT
   * @param model shape of the model that it is for
   * @throws InvalidFileException if a file is broken, asks for what is not implemented, or is for
   *     another model; all tensors that are missing or wrong are listed
   * @throws IOException if a file is absent or cannot be read
   */
  public static LoraAdapter load(Path directory, TransformerConfig model) throws IOException {
    AtomicDirectory.recover(directory);
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(
          directory + ": an adapter is a directory with a file " + AdapterConfigFile.NAME);
    }
    AdapterConfigFile config = AdapterConfigFile.read(directory, model);
    try (SafetensorsFile file = SafetensorsFile.open(directory.resolve(WEIGHTS))) {
      Map<String, Matrix> matrices = matrices(config.modules(), config.lora().rank(), model);
      requireExactly(file, matrices);
      int rank = config.lora().rank();
      try (ParameterSet set =
          ParameterSet.zeros(ParameterLayout.of(config.modules(), rank), DataType.FLOAT)) {
        for (Map.Entry<String, Matrix> matrix : matrices.entrySet()) {
          read(file, file.find(matrix.getKey()), set.get(matrix.getValue().parameter));
        }
        return LoraAdapter.of(config.lora(), config.modules(), set, origin(file));
      }
    }
  }

  /** A tensor of the file, and the parameter that has its values. */
  private record Matrix(String parameter, long rows, long columns) {
    List<Long> shape() {
      return List.of(rows, columns);
    }
  }

  /** By the name of the tensor. */
  private static Map<String, Matrix> matrices(
      List<LoraModule> modules, int rank, TransformerConfig model) {
    ModelFormat format = ModelFormat.of(model.architecture());
    Map<String, Matrix> matrices = new LinkedHashMap<>();
    for (LoraModule module : modules) {
      String name = PREFIX + format.module(module);
      matrices.put(name + ".lora_A.weight", new Matrix(module.a(), rank, module.inputs()));
      matrices.put(name + ".lora_B.weight", new Matrix(module.b(), module.outputs(), rank));
    }
    return matrices;
  }

  private static void requireExactly(SafetensorsFile file, Map<String, Matrix> matrices)
      throws InvalidFileException {
    List<String> missing = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    Set<String> unexpected = new TreeSet<>(file.names());
    matrices.forEach(
        (name, matrix) -> {
          TensorInfo tensor = file.find(name);
          unexpected.remove(name);
          if (tensor == null) {
            missing.add(name);
          } else {
            TensorMatch.addWrong(wrong, tensor, matrix.shape());
          }
        });
    List<String> faults = new ArrayList<>();
    TensorMatch.addFault(faults, "missing", missing);
    TensorMatch.addFault(faults, "unexpected", List.copyOf(unexpected));
    TensorMatch.addFault(faults, "not as " + AdapterConfigFile.NAME + " and the model ask", wrong);
    if (!faults.isEmpty()) {
      throw new InvalidFileException(
          file.path(), "the tensors are not the adapter's; " + String.join("; ", faults));
    }
  }

  private static void read(SafetensorsFile file, TensorInfo tensor, INDArray parameter)
      throws IOException {
    double[] block = new double[(int) Math.min(tensor.elements(), BLOCK)];
    for (long done = 0; done < tensor.elements(); done += block.length) {
      int count = (int) Math.min(block.length, tensor.elements() - done);
      file.read(tensor, done, block, 0, count);
      Tensors.write(parameter, done, block, 0, count);
    }
  }

  private static Map<String, String> origin(SafetensorsFile file) {
    Map<String, String> origin = new TreeMap<>();
    file.metadata()
        .forEach(
            (name, value) -> {
              if (name.startsWith(OWN) && !name.equals(VERSION)) {
                origin.put(name.substring(OWN.length()), value);
              }
            });
    return origin;
  }

  /** Whether a directory has an adapter, and not a model. */
  static boolean isOne(Path directory) {
    return Files.exists(directory.resolve(AdapterConfigFile.NAME));
  }

  /** The files of an adapter. */
  record Content(LoraAdapter adapter, TransformerConfig model) implements AtomicDirectory.Content {

    @Override
    public void writeTo(Path directory) throws IOException {
      AdapterConfigFile.write(directory, adapter, model);
      Map<String, String> metadata = new TreeMap<>();
      metadata.put("format", "pt");
      adapter.origin().forEach((name, value) -> metadata.put(OWN + name, value));
      metadata.put(VERSION, Provenance.version());
      List<SafetensorsWriter.Tensor> tensors = new ArrayList<>();
      ModelFormat format = ModelFormat.of(model.architecture());
      long rank = adapter.config().rank();
      for (LoraModule module : adapter.modules()) {
        String name = PREFIX + format.module(module);
        List<Long> shape = List.of(rank, (long) module.inputs());
        tensors.add(tensor(name + ".lora_A.weight", shape, adapter.a(module)));
        shape = List.of((long) module.outputs(), rank);
        tensors.add(tensor(name + ".lora_B.weight", shape, adapter.b(module)));
      }
      SafetensorsWriter.write(directory.resolve(WEIGHTS), metadata, tensors);
      Files.writeString(directory.resolve(README), card());
    }

    private static SafetensorsWriter.Tensor tensor(String name, List<Long> shape, float[] values) {
      return new SafetensorsWriter.Tensor(
          TensorInfo.of(name, TensorType.F32, shape),
          writer -> {
            double[] block = new double[Math.min(values.length, BLOCK)];
            for (int done = 0; done < values.length; done += block.length) {
              int count = Math.min(block.length, values.length - done);
              for (int i = 0; i < count; i++) {
                block[i] = values[done + i];
              }
              writer.write(block, 0, count);
            }
          });
    }

    private String card() {
      return ModelCard.ofAdapter(adapter, model);
    }

    @Override
    public void requireReplaceable(Path existing) throws IOException {
      if (AtomicDirectory.isAbsentOrEmpty(existing)) {
        return;
      }
      if (!Files.isDirectory(existing)) {
        throw new NotDirectoryException(existing + ": an adapter is saved as a directory");
      }
      try (Stream<Path> entries = Files.list(existing)) {
        boolean others = entries.anyMatch(entry -> !NAMES.contains(entry.getFileName().toString()));
        if (others || !isOurs(existing.resolve(WEIGHTS))) {
          throw new InvalidFileException(
              existing,
              "the directory holds something else than an adapter that was saved by this library;"
                  + " save into a new directory");
        }
      }
    }

    private static boolean isOurs(Path weights) {
      try (SafetensorsFile file = SafetensorsFile.open(weights)) {
        return file.metadata().containsKey(VERSION);
      } catch (IOException e) {
        return false;
      }
    }
  }
}
