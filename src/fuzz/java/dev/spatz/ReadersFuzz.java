package dev.spatz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.spatz.checkpoint.CheckpointReaders;
import dev.spatz.constraint.ConstraintReaders;
import dev.spatz.dataset.DatasetReaders;
import dev.spatz.template.TemplateReaders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/*
 * Coverage-guided fuzzing of every reader of untrusted input; one class each, since a JVM fuzzes one:
 *
 *   mvn -Pfuzz test                                            all of them, a minute each
 *   mvn -Pfuzz test -Dfuzz.time=10m -Dtest=SafetensorsFuzz     one of them
 *
 * What breaks a reader's promise is kept in src/test/resources/dev/spatz/…FuzzInputs/read, whose files
 * UntrustedInputTest reads in every build.
 */

class SafetensorsFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.SAFETENSORS, input);
  }
}

class IndexFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.INDEX, input);
  }
}

class ConfigFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.CONFIG, input);
  }
}

class GenerationConfigFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.GENERATION_CONFIG, input);
  }
}

class TokenizerFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.TOKENIZER, input);
  }
}

class TokenizerConfigFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.TOKENIZER_CONFIG, input);
  }
}

class ChatTemplateFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.CHAT_TEMPLATE, input);
  }
}

class VocabularyFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.VOCABULARY, input);
  }
}

class TrainerStateFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.TRAINER_STATE, input);
  }
}

class OptimizerFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.OPTIMIZER, input);
  }
}

class DigestsFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.DIGESTS, input);
  }
}

class TokensFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(DatasetReaders.TOKENS, input);
  }
}

class TextFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(DatasetReaders.TEXT, input);
  }
}

class CsvFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(DatasetReaders.CSV, input);
  }
}

class JsonLinesFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(DatasetReaders.JSON_LINES, input);
  }
}

class ConversationsFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(DatasetReaders.CONVERSATIONS, input);
  }
}

class ExamplesFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(DatasetReaders.EXAMPLES, input);
  }
}

class RegexFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(ConstraintReaders.REGEX, input);
  }
}

class JsonSchemaFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(ConstraintReaders.JSON_SCHEMA, input);
  }
}

class GbnfFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(ConstraintReaders.GBNF, input);
  }
}

class TiktokenFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.TIKTOKEN, input);
  }
}

class AdapterConfigFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.ADAPTER_CONFIG, input);
  }
}

class AdapterWeightsFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(CheckpointReaders.ADAPTER_WEIGHTS, input);
  }
}

class TemplateFuzz {
  @FuzzTest
  void read(byte[] input) throws IOException {
    Fuzzing.read(TemplateReaders.TEMPLATE, input);
  }
}

/** Has an input read in a directory that each JVM has one of. */
final class Fuzzing {
  private static Path directory;

  private Fuzzing() {}

  static void read(UntrustedInput.Reader reader, byte[] input) throws IOException {
    if (directory == null) {
      directory = Files.createTempDirectory("fuzz");
      reader.prepare(directory);
    }
    UntrustedInput.isRead(reader, directory, input);
  }
}
