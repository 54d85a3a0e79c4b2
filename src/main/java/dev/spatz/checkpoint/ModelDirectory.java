package dev.spatz.checkpoint;

import dev.spatz.kernel.NativeLibraries;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A model on disk: a directory in the layout of Hugging Face's transformers, which loads there and
 * in other programs too.
 *
 * <ul>
 *   <li>{@code config.json}: the shape; under {@code spatz} the {@link Provenance}
 *   <li>{@code model.safetensors}: the weights; those of others may lie in several files with an
 *       index
 *   <li>{@code tokenizer.json}, {@code tokenizer_config.json}: the tokenizer
 *   <li>{@code generation_config.json}: the tokens that begin and end a text, and how it is
 *       generated
 *   <li>{@code README.md}: the model card, for people
 * </ul>
 *
 * <p>Read are models of {@code model_type} gpt2, llama, mistral, qwen2 and qwen3, in float32,
 * float16, bfloat16 or float64; without a {@code tokenizer.json}, GPT-2's {@code vocab.json} and
 * {@code merges.txt}. What a file asks for and is not implemented is refused, never ignored.
 */
public final class ModelDirectory {
  private static final String README = "README.md";
  private static final Set<String> NAMES =
      Set.of(
          ConfigFile.NAME,
          TensorFiles.SINGLE,
          TokenizerFiles.TOKENIZER,
          TokenizerFiles.CONFIG,
          GenerationConfigFile.NAME,
          README);

  private ModelDirectory() {}

  /**
   * Saves a model, whole or not at all: it is written beside, forced to the disk, and takes the
   * place of an earlier model by renaming. A process that is killed meanwhile leaves the earlier
   * model, which the next {@link #load} or save finds.
   *
   * <p>Weights are written as float32. A later save into the same directory replaces all its files,
   * the model card included.
   *
   * @param directory which does not exist, is empty, or holds a model that was saved by this method
   *     and nothing else; its parents are made where they are absent
   * @param transformer whose weights nobody changes meanwhile
   * @param tokenizer whose ids are within the transformer's vocabulary
   * @param provenance null if nothing is known
   * @throws IllegalStateException if the transformer is frozen
   * @throws IllegalArgumentException if the tokenizer has more ids than the transformer, or the
   *     directory is the root of a file system
   * @throws IOException if the directory holds anything else, which would be lost, or writing
   *     fails; what was there before is still there
   */
  public static void save(
      Path directory, Transformer transformer, Tokenizer tokenizer, @Nullable Provenance provenance)
      throws IOException {
    save(directory, transformer, tokenizer, provenance, TextConventions.of(tokenizer));
  }

  /**
   * Saves a model with conventions of its own.
   *
   * @throws IllegalArgumentException also if a setting of {@link TextConventions#generation} cannot
   *     be written; otherwise as {@link #save(Path, Transformer, Tokenizer, Provenance)}
   * @throws IOException as there
   */
  public static void save(
      Path directory,
      Transformer transformer,
      Tokenizer tokenizer,
      @Nullable Provenance provenance,
      TextConventions conventions)
      throws IOException {
    transformer.requireWhole();
    requireIdsWithin(transformer, tokenizer);
    Model model = new Model(transformer, tokenizer, provenance, conventions);
    new AtomicDirectory(directory, model).replace();
  }

  /**
   * Loads a model in float32; the caller closes it.
   *
   * @param directory that was saved by this class, or comes from elsewhere
   * @throws InvalidFileException if a file is broken, or asks for what is not implemented
   * @throws IOException if a file is absent or cannot be read
   * @throws IllegalArgumentException if the directory is the root of a file system
   */
  public static LoadedModel load(Path directory) throws IOException {
    return load(directory, DataType.FLOAT);
  }

  /**
   * Loads a model; the caller closes it.
   *
   * @param directory that was saved by this class, or comes from elsewhere
   * @param type of its weights and activations: {@code FLOAT} or {@code DOUBLE}
   * @throws InvalidFileException if a file is broken, or asks for what is not implemented
   * @throws IOException if a file is absent or cannot be read
   * @throws IllegalArgumentException if the directory is the root of a file system
   */
  public static LoadedModel load(Path directory, DataType type) throws IOException {
    return load(directory, (path, config) -> WeightsReader.read(path, config, type));
  }

  /**
   * Loads a model that stays as it is, in float32 but for the matrices of its blocks, see {@link
   * Transformer#frozen}; the caller closes it. Otherwise as {@link #load(Path)}.
   *
   * @param precision of the matrices: bfloat16 or int8
   */
  public static LoadedModel loadFrozen(Path directory, WeightPrecision precision)
      throws IOException {
    return load(directory, (path, config) -> WeightsReader.readFrozen(path, config, precision));
  }

  /** Reads the weights of a directory. */
  private interface Weights {
    Transformer read(Path directory, ConfigFile config) throws IOException;
  }

  private static LoadedModel load(Path directory, Weights weights) throws IOException {
    Path path = open(directory);
    ConfigFile config;
    Tokenizer tokenizer;
    TextConventions conventions;
    NativeLibraries libraries = NativeLibraries.loading();
    try {
      config = ConfigFile.read(path);
      tokenizer = TokenizerFiles.read(path, config.json());
      requireIdsWithin(config, tokenizer);
      conventions = TextConventions.read(path, config, tokenizer);
    } finally {
      libraries.await();
    }
    Transformer transformer = weights.read(path, config);
    return new LoadedModel(transformer, tokenizer, config.provenance(), conventions);
  }

  private static void requireIdsWithin(ConfigFile config, Tokenizer tokenizer) throws IOException {
    if (tokenizer.vocabularySize() > config.shape().vocabularySize()) {
      throw config
          .json()
          .invalid(
              "vocab_size",
              "it must be at least the number of ids of the tokenizer, "
                  + tokenizer.vocabularySize());
    }
  }

  /**
   * Loads the weights alone, of a directory whose tokenizer is absent or is none of ours; the
   * caller closes them.
   *
   * @param directory that was saved by this class, or comes from elsewhere
   * @param type of weights and activations: {@code FLOAT} or {@code DOUBLE}
   * @throws InvalidFileException if a file is broken, or asks for what is not implemented
   * @throws IOException if a file is absent or cannot be read
   * @throws IllegalArgumentException if the directory is the root of a file system
   */
  public static Transformer loadTransformer(Path directory, DataType type) throws IOException {
    Path path = open(directory);
    return WeightsReader.read(path, ConfigFile.read(path), type);
  }

  private static Path open(Path directory) throws IOException {
    AtomicDirectory.recover(directory);
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(
          directory + ": a model is a directory with a file " + ConfigFile.NAME);
    }
    return directory;
  }

  private static void requireIdsWithin(Transformer transformer, Tokenizer tokenizer) {
    int ids = transformer.config().vocabularySize();
    if (tokenizer.vocabularySize() > ids) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the tokenizer's vocabularySize (%,d) must not exceed the transformer's (%,d)",
              tokenizer.vocabularySize(),
              ids));
    }
  }

  /** The files of a model. */
  record Model(
      Transformer transformer,
      Tokenizer tokenizer,
      @Nullable Provenance provenance,
      TextConventions conventions)
      implements AtomicDirectory.Content {

    @Override
    public void writeTo(Path directory) throws IOException {
      ConfigFile.write(directory, transformer.config(), tokenizer, provenance);
      GenerationConfigFile.write(directory, tokenizer, conventions);
      TokenizerFiles.write(directory, tokenizer, transformer.config().contextLength(), conventions);
      Files.writeString(
          directory.resolve(README), ModelCard.text(transformer.config(), tokenizer, provenance));
      WeightsWriter.write(directory.resolve(TensorFiles.SINGLE), transformer);
    }

    @Override
    public void requireReplaceable(Path existing) throws IOException {
      if (AtomicDirectory.isAbsentOrEmpty(existing)) {
        return;
      }
      if (!Files.isDirectory(existing)) {
        throw new NotDirectoryException(existing + ": a model is saved as a directory");
      }
      try (Stream<Path> entries = Files.list(existing)) {
        List<String> others =
            entries
                .map(entry -> entry.getFileName().toString())
                .filter(name -> !NAMES.contains(name))
                .sorted()
                .limit(5)
                .toList();
        if (!others.isEmpty()) {
          throw new InvalidFileException(
              existing,
              "saving would delete files that are not this library's, such as "
                  + String.join(", ", others)
                  + "; save into a new directory");
        }
      }
      requireOurs(existing);
    }

    /** A directory may hold a README.md and a config.json, and still be no model. */
    private static void requireOurs(Path existing) throws IOException {
      String fault = "there is no sign that it was saved by this library";
      try {
        Path config = existing.resolve(ConfigFile.NAME);
        if (Files.exists(existing.resolve(TensorFiles.SINGLE))
            && JsonObject.read(config, JsonObject.SETTINGS_BYTES).has(ConfigFile.OWN)) {
          return;
        }
      } catch (IOException e) {
        fault = e.getMessage();
      }
      throw new InvalidFileException(
          existing,
          "the directory is not empty, and not replaced since "
              + fault
              + "; save into a new directory");
    }
  }
}
