package dev.spatz.checkpoint;

import dev.spatz.UntrustedInput;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.LoraModule;
import dev.spatz.transformer.LoraTarget;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.ParameterSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What reads the files of models and of training runs. */
public enum CheckpointReaders implements UntrustedInput.Reader {
  /** The header, and the values that can be read. */
  SAFETENSORS {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Path path = Files.write(directory.resolve("x.safetensors"), input);
      try (SafetensorsFile file = SafetensorsFile.open(path)) {
        double[] values = new double[100];
        for (String name : file.names()) {
          TensorInfo tensor = Objects.requireNonNull(file.find(name));
          if (tensor.type().readable()) {
            int count = (int) Math.min(values.length, tensor.elements());
            file.read(tensor, tensor.elements() - count, values, 0, count);
          }
        }
      }
    }
  },

  /** Which tensor is in which of two files. */
  INDEX {
    @Override
    public void prepare(Path directory) throws IOException {
      for (String name : List.of("a", "b")) {
        SafetensorsWriter.write(
            directory.resolve(name + ".safetensors"),
            Map.of(),
            List.of(
                new SafetensorsWriter.Tensor(
                    TensorInfo.of(name, TensorType.F32, List.of(1L)),
                    writer -> writer.write(new double[1], 0, 1))));
      }
    }

    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Files.write(directory.resolve(TensorFiles.INDEX), input);
      TensorFiles.open(directory).close();
    }
  },

  /** The shape of a model whose other files are sound. */
  CONFIG {
    @Override
    public void prepare(Path directory) throws IOException {
      Examples.save(directory, Examples.llama());
    }

    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Files.write(directory.resolve(ConfigFile.NAME), input);
      ModelDirectory.load(directory).close();
    }
  },

  /** How texts end and are drawn. */
  GENERATION_CONFIG {
    @Override
    public void prepare(Path directory) throws IOException {
      Examples.save(directory, Examples.llama());
    }

    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Files.write(directory.resolve(GenerationConfigFile.NAME), input);
      ModelDirectory.load(directory).close();
    }
  },

  /** A tokenizer, which then encodes and decodes. */
  TOKENIZER {
    @Override
    public void prepare(Path directory) throws IOException {
      Files.writeString(directory.resolve(ConfigFile.NAME), "{}");
      Files.writeString(directory.resolve(TokenizerFiles.CONFIG), "{\"eos_token\":\"<s>\"}");
    }

    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Files.write(directory.resolve(TokenizerFiles.TOKENIZER), input);
      use(TokenizerFiles.read(directory, config(directory)));
    }

    /** An expression may take some thousand steps for each character of the texts. */
    @Override
    public int mostSeconds() {
      return 20;
    }

    @Override
    public long mostBytes(int length) {
      return (64L << 20) + 1000L * length;
    }
  },

  /** What is said beside a tokenizer, a chat template too. */
  TOKENIZER_CONFIG {
    @Override
    public void prepare(Path directory) throws IOException {
      Examples.save(directory, Examples.llama());
    }

    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Files.write(directory.resolve(TokenizerFiles.CONFIG), input);
      Files.deleteIfExists(directory.resolve(GenerationConfigFile.NAME));
      JsonObject config = config(directory);
      Tokenizer tokenizer = TokenizerFiles.read(directory, config);
      TextConventions.read(directory, ConfigFile.read(directory), tokenizer);
      use(tokenizer);
    }
  },

  /** A template of its own. */
  CHAT_TEMPLATE {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Files.write(directory.resolve(ChatTemplateFile.NAME), input);
      ChatTemplateFile.read(directory);
    }
  },

  /** Tokens and merges, a zero byte between them. */
  VOCABULARY {
    @Override
    public void prepare(Path directory) throws IOException {
      Files.writeString(directory.resolve(ConfigFile.NAME), "{\"model_type\":\"gpt2\"}");
    }

    @Override
    public void read(Path directory, byte[] input) throws IOException {
      int end = 0;
      while (end < input.length && input[end] != 0) {
        end++;
      }
      Files.write(directory.resolve(VocabularyFiles.VOCABULARY), Arrays.copyOf(input, end));
      Files.write(
          directory.resolve(VocabularyFiles.MERGES),
          Arrays.copyOfRange(input, Math.min(end + 1, input.length), input.length));
      use(TokenizerFiles.read(directory, config(directory)));
    }
  },

  /** Tokens in Base64, by rank. */
  TIKTOKEN {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Path file = Files.write(directory.resolve("x.tiktoken"), input);
      use(
          SavedTokenizer.loadTiktoken(
              file,
              SplitPattern.regex(SplitPattern.GPT2),
              List.of(new SpecialToken("<s>", 300)),
              "<s>"));
    }

    @Override
    public long mostBytes(int length) {
      return (64L << 20) + 1000L * length;
    }
  },

  /** What an adapter changes. */
  ADAPTER_CONFIG {
    @Override
    public void prepare(Path directory) throws IOException {
      saveAdapter(directory);
    }

    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Path adapter = directory.resolve(ADAPTER);
      Files.write(adapter.resolve(AdapterConfigFile.NAME), input);
      AdapterDirectory.load(adapter, Examples.llama());
    }
  },

  /** The matrices of an adapter. */
  ADAPTER_WEIGHTS {
    @Override
    public void prepare(Path directory) throws IOException {
      saveAdapter(directory);
    }

    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Path adapter = directory.resolve(ADAPTER);
      Files.write(adapter.resolve("adapter_model.safetensors"), input);
      AdapterDirectory.load(adapter, Examples.llama());
    }
  },

  /** How far a run has come. */
  TRAINER_STATE {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Files.write(directory.resolve(TrainerStateFile.NAME), input);
      TrainerStateFile.read(directory, directory, Examples.llama());
    }
  },

  /** Moments of two lengths. */
  OPTIMIZER {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Files.write(directory.resolve(OptimizerFile.NAME), input);
      try (INDArray few = Tensors.zeros(DataType.FLOAT, 3);
          INDArray one = Tensors.zeros(DataType.FLOAT, 1)) {
        OptimizerFile.read(
            directory,
            source -> {
              source.read("a", few);
              source.read("b", one);
            });
      }
    }
  },

  /** Digests of two files, whose names may be any. */
  DIGESTS {
    @Override
    public void prepare(Path directory) throws IOException {
      Files.writeString(directory.resolve("a"), "");
      Files.writeString(directory.resolve("b"), "b");
    }

    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Files.write(directory.resolve(Sha256Sums.NAME), input);
      Sha256Sums.verify(directory);
    }
  };

  private static final String TEXT = " a ~ab1\n\n the 'll é😀 <s>\u0130\u0301 2023!!  ";

  private static final String ADAPTER = "adapter";

  private static void saveAdapter(Path directory) throws IOException {
    LoraConfig lora = LoraConfig.defaults().withRank(2).withTargets(LoraTarget.QUERY);
    List<LoraModule> modules = lora.modules(Examples.llama());
    try (ParameterSet set =
        ParameterSet.zeros(ParameterLayout.of(modules, lora.rank()), DataType.FLOAT)) {
      LoraAdapter adapter = LoraAdapter.of(lora, modules, set, Map.of());
      AdapterDirectory.save(directory.resolve(ADAPTER), adapter, Examples.llama());
    }
  }

  private static JsonObject config(Path directory) throws IOException {
    return JsonObject.read(directory.resolve(ConfigFile.NAME), JsonObject.SETTINGS_BYTES);
  }

  /** A tokenizer may say that it has no token for a text, or that its expression is too slow. */
  private static void use(Tokenizer tokenizer) {
    try {
      tokenizer.decode(tokenizer.encode(TEXT));
      tokenizer.decode(tokenizer.encode(TEXT.repeat(20) + "a".repeat(1000)));
    } catch (IllegalArgumentException e) {
      Objects.requireNonNull(e.getMessage());
    }
    for (int id = 0; id < Math.min(tokenizer.vocabularySize(), 300); id++) {
      tokenizer.decode(id);
    }
  }
}
