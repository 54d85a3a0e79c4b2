package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.SharedData;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParallelTokenizerTest {
  /**
   * Letters, numbers, white space, punctuation and what a splitter treats apart, of 1 to 4 bytes.
   */
  private static final String[] PARTS = {
    "a", "be", "don't", "'s", "'", " ", "  ", "\n", "\r\n", "\t", "1", "23", "²", ".", "!?", "é",
    "ß", "\u00A0", "\u3000", "漢字", "٣", "😀", "𝔘", "🇩🇪", "e\u0301", "_", "the ", " and", "-"
  };

  @TempDir Path directory;

  private int[] ids(Tokenizer tokenizer, Corpus corpus, int threads, int pieceChars)
      throws IOException {
    Path file = directory.resolve("a.tokens");
    try (TokenFileWriter writer = new TokenFileWriter(file, new int[tokenizer.vocabularySize()]);
        ParallelTokenizer encoder =
            new ParallelTokenizer(tokenizer, writer, threads, "document", pieceChars, 1 << 20)) {
      corpus.forEach(encoder);
      encoder.finish();
      writer.commit(0, new byte[TextDigest.BYTES]);
    }
    try (TokenFile tokens = TokenFile.open(file)) {
      int[] ids = new int[Math.toIntExact(tokens.length())];
      tokens.read(0, ids, 0, ids.length);
      return ids;
    }
  }

  /** The definition: each document encoded in one go, an end-of-text token between documents. */
  private static int[] inOneGo(Tokenizer tokenizer, List<String> documents) {
    IntStream.Builder ids = IntStream.builder();
    boolean first = true;
    for (String document : documents) {
      if (!first) {
        ids.add(tokenizer.endOfText());
      }
      first = false;
      for (int id : tokenizer.encode(document)) {
        ids.add(id);
      }
    }
    return ids.build().toArray();
  }

  private static List<String> randomDocuments(long seed, int count, int maxParts) {
    Random random = new Random(seed);
    List<String> documents = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder document = new StringBuilder();
      for (int parts = random.nextInt(maxParts); parts > 0; parts--) {
        document.append(PARTS[random.nextInt(PARTS.length)]);
      }
      documents.add(document.toString());
    }
    return documents;
  }

  @Test
  void ids_areThoseOfEncodingInOneGo_forAnyThreadsAndPieces() throws IOException {
    List<String> documents = new ArrayList<>(randomDocuments(1, 40, 60));
    documents.addAll(List.of("", "", "x".repeat(500), " ".repeat(300), "😀".repeat(200), ""));
    documents.addAll(randomDocuments(2, 2, 6000));
    for (Tokenizer tokenizer :
        List.of(CharacterTokenizer.learn(documents), BytePairTokenizer.learn(documents, 400))) {
      int[] expected = inOneGo(tokenizer, documents);
      for (int threads = 1; threads <= 3; threads++) {
        for (int pieceChars : new int[] {1, 2, 3, 7, 64, 1000, 1 << 16}) {
          assertArrayEquals(expected, ids(tokenizer, Corpus.of(documents), threads, pieceChars));
        }
      }
    }
  }

  @Test
  void ids_ofAFileInAnyBlocks_areThoseOfItsText() throws IOException {
    String text = String.join("", randomDocuments(3, 3, 700));
    Path file = Documents.write(directory, "a.txt", text);
    Tokenizer tokenizer = BytePairTokenizer.learn(List.of(text), 350);
    int[] expected = tokenizer.encode(text);
    for (int bufferBytes : new int[] {4, 5, 17, 100, 1 << 16}) {
      for (int pieceChars : new int[] {1, 10, 1 << 16}) {
        Corpus corpus = Corpus.of(file).withBufferBytes(bufferBytes);
        assertArrayEquals(expected, ids(tokenizer, corpus, 2, pieceChars));
      }
    }
  }

  @Test
  void ids_ofGrimm_areThoseOfEncodingInOneGo() throws IOException {
    Path file = SharedData.path("german/grimm.txt");
    String text = Files.readString(file);
    Tokenizer tokenizer = BytePairTokenizer.learn(List.of(text), 512);
    int[] expected = tokenizer.encode(text);
    for (int threads = 1; threads <= 3; threads++) {
      int pieceChars = threads == 2 ? 1000 : ParallelTokenizer.DEFAULT_PIECE_CHARS;
      assertArrayEquals(expected, ids(tokenizer, Corpus.of(file), threads, pieceChars));
    }
  }

  @Test
  void documents_empty_areEndOfTextOnly() throws IOException {
    Tokenizer tokenizer = CharacterTokenizer.of('a');
    assertArrayEquals(new int[] {1, 1}, ids(tokenizer, Corpus.of(List.of("", "", "")), 1, 100));
    assertArrayEquals(new int[0], ids(tokenizer, Corpus.of(List.of("")), 1, 100));
    assertArrayEquals(new int[0], ids(tokenizer, Corpus.of(List.<String>of()), 1, 100));
  }

  @Test
  void textThatCannotBeCut_isRefusedBeforeItFillsTheMemory() {
    String word = "x".repeat((1 << 20) + 100);
    Tokenizer tokenizer = BytePairTokenizer.learn(List.of("x x"), 257);
    String message =
        assertThrows(
                IOException.class, () -> ids(tokenizer, Corpus.of(List.of("a", word)), 1, 1000))
            .getMessage();
    assertTrue(message.startsWith("document 2 has no place to cut it"), message);
  }

  @Test
  void characterWithoutId_isRefusedWithDocumentAndPlace() throws IOException {
    Tokenizer tokenizer = CharacterTokenizer.of('a', 'b');
    List<String> documents = List.of("ab", "abababab?");
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> ids(tokenizer, Corpus.of(documents), 2, 3))
            .getMessage();
    assertTrue(
        message.startsWith("document 2, counted from character 6: ")
            && message.contains("'?' at index 2"),
        message);
    try (var files = Files.list(directory)) {
      assertEquals(List.of(), files.toList());
    }
  }
}
