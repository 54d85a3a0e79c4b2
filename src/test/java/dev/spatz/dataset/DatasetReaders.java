package dev.spatz.dataset;

import dev.spatz.UntrustedInput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What reads texts and tokens to learn from. Where a file is read in several ways, the input's
 * first byte chooses.
 */
public enum DatasetReaders implements UntrustedInput.Reader {
  /** Token ids, all of them read. */
  TOKENS {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      // A new file each time: the last one may still be mapped.
      Path path = Files.write(Files.createTempFile(directory, "x", ".tokens"), input);
      try (TokenFile file = TokenFile.open(path)) {
        file.textBytes(0, file.length());
      } finally {
        Files.delete(path);
      }
    }
  },

  /** Plain text, entities decoded. */
  TEXT {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Path path = Files.write(directory.resolve("x.txt"), rest(input));
      Corpus corpus = Corpus.of(path);
      visit(
          switch (choice(input)) {
            case 1 -> corpus.withCharset(StandardCharsets.UTF_16);
            case 2 -> corpus.withoutDuplicates(0.8);
            default -> corpus;
          });
    }
  },

  /** Comma-separated values. */
  CSV {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Corpus corpus = Corpus.of(Files.write(directory.resolve("x.csv"), rest(input)));
      visit(
          switch (choice(input)) {
            case 1 -> corpus.withTextColumn("b");
            case 2 -> corpus.withHtmlEntitiesDecoded();
            default -> corpus;
          });
    }
  },

  /** One object a line. */
  JSON_LINES {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      Corpus corpus = Corpus.of(Files.write(directory.resolve("x.jsonl"), rest(input)));
      visit(
          switch (choice(input)) {
            case 1 -> corpus.withTextField("b");
            case 2 -> corpus.withHtmlEntitiesDecoded();
            default -> corpus;
          });
    }
  },

  /** Conversations, one a line or as one array; faults refused or left out. */
  CONVERSATIONS {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      int choice = choice(input);
      Path path = directory.resolve(choice % 2 == 0 ? "x.jsonl" : "x.json");
      Conversations conversations = Conversations.of(Files.write(path, rest(input)));
      (choice < 2 ? conversations : conversations.skippingFaults()).read(fault -> {});
    }
  },

  /** Examples that a training goes on with. */
  EXAMPLES {
    @Override
    public void read(Path directory, byte[] input) throws IOException {
      ExampleFile.read(Files.write(directory.resolve(ExampleSet.FILE_NAME), input));
    }
  };

  private static int choice(byte[] input) {
    return input.length == 0 ? 0 : input[0] & 3;
  }

  private static byte[] rest(byte[] input) {
    return input.length == 0 ? input : Arrays.copyOfRange(input, 1, input.length);
  }

  private static void visit(Corpus corpus) throws IOException {
    corpus.forEach(
        new DocumentVisitor() {
          @Override
          public void text(CharSequence piece) {
            piece.toString();
          }

          @Override
          public void endOfDocument() {}
        });
  }
}
