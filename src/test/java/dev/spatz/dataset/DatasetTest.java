package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.SharedData;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.TimeZone;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetTest {
  private static final Tokenizer LETTERS = CharacterTokenizer.of('a', 'b', 'c', 'd', 'é', 0x1F600);
  private static final int END = LETTERS.endOfText();

  @TempDir Path directory;

  private static DatasetOptions options() {
    return DatasetOptions.defaults().withThreads(2);
  }

  private static int[] ids(TokenSequence tokens) {
    int[] ids = new int[Math.toIntExact(tokens.length())];
    tokens.read(0, ids, 0, ids.length);
    return ids;
  }

  private static List<Path> files(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  @Test
  void corpus_isSplitByPositionWithEndOfTextBetweenDocuments() throws IOException {
    try (Dataset dataset =
        Dataset.prepare(
            Corpus.of(List.of("abc", "", "é😀", "dd")),
            LETTERS,
            options().withValidationFraction(0.5))) {
      assertArrayEquals(new int[] {0, 1, 2, END, END}, ids(dataset.train()));
      assertArrayEquals(new int[] {4, 5, END, 3, 3}, ids(dataset.validation()));
      assertEquals(3, dataset.train().textBytes());
      assertEquals(2 + 4 + 2, dataset.validation().textBytes());
      assertEquals(4, dataset.validation().textBytes(1, 3));
      assertEquals(7, dataset.vocabularySize());
    }
  }

  @Test
  void validationFraction_zeroAndOne_giveOnePart() throws IOException {
    Corpus corpus = Corpus.of(List.of("abc"));
    try (Dataset all = Dataset.prepare(corpus, LETTERS, options().withValidationFraction(0));
        Dataset none = Dataset.prepare(corpus, LETTERS, options().withValidationFraction(1))) {
      assertEquals(3, all.train().length());
      assertEquals(0, all.validation().length());
      assertEquals(0, none.train().length());
      assertEquals(3, none.validation().length());
    }
  }

  /** Expected values by decimal arithmetic: binary fractions would give 2, 6 and 0. */
  @Test
  void trainLength_isExact() {
    assertEquals(9, Dataset.trainLength(10, 0.1));
    assertEquals(3, Dataset.trainLength(10, 0.7));
    assertEquals(7, Dataset.trainLength(100, 0.93));
    assertEquals(1, Dataset.trainLength(10, 0.9));
    assertEquals(8, Dataset.trainLength(9, 0.1));
    assertEquals(0, Dataset.trainLength(1, 0.1));
    assertEquals(900_000_000_000_000_000L, Dataset.trainLength(1_000_000_000_000_000_000L, 0.1));
  }

  @Test
  void validationCorpus_isKeptApart() throws IOException {
    Corpus train = Corpus.of(List.of("ab", "c"));
    Corpus validation = Corpus.of(List.of("d", "é"));
    try (Dataset dataset =
        Dataset.prepare(train, LETTERS, options().withValidationCorpus(validation))) {
      assertArrayEquals(new int[] {0, 1, END, 2}, ids(dataset.train()));
      assertArrayEquals(new int[] {3, END, 4}, ids(dataset.validation()));
      assertEquals(3, dataset.train().textBytes());
      assertEquals(3, dataset.validation().textBytes());
      assertEquals(Corpus.of(List.of("ab", "c", "d", "é")).digest(), dataset.digest());
    }
  }

  @Test
  void validationCorpus_withUnknownCharacter_isNamedInTheError() {
    Corpus validation = Corpus.of(List.of("a", "ab?"));
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    Dataset.prepare(
                            Corpus.of(List.of("ab")),
                            LETTERS,
                            options().withValidationCorpus(validation))
                        .close())
            .getMessage();
    assertTrue(message.startsWith("validation document 2: "), message);
  }

  /**
   * nanoGPT's own counts: int(0.9 · 1,115,394) characters to train on, the rest to measure with.
   */
  @Test
  void tinyShakespeare_isSplitAsNanoGptSplitsIt() throws IOException {
    Path file = SharedData.path("tinyshakespeare.txt");
    Tokenizer tokenizer = CharacterTokenizer.learn(List.of(Files.readString(file)));
    try (Dataset dataset = Dataset.prepare(Corpus.of(file), tokenizer, options())) {
      assertEquals(1_003_854, dataset.train().length());
      assertEquals(111_540, dataset.validation().length());
      assertEquals(1_003_854, dataset.train().textBytes());
      assertEquals(111_540, dataset.validation().textBytes());
      assertEquals(
          "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", // sha256sum
          dataset.digest());
      assertEquals(1743, dataset.validation().windows(64).count()); // ⌈111,539 / 64⌉
      dataset.requireWindows(256);
    }
  }

  @Test
  void grimm_bytesOfThePartsAddUpToTheFile() throws IOException {
    Path file = SharedData.path("german/grimm.txt");
    Tokenizer tokenizer = BytePairTokenizer.learn(List.of(Files.readString(file)), 300);
    try (Dataset dataset =
        Dataset.prepare(Corpus.of(file), tokenizer, options().withValidationFraction(0.123))) {
      assertEquals(
          Files.size(file), dataset.train().textBytes() + dataset.validation().textBytes());
      assertEquals(
          tokenizer.decode(ids(dataset.train())).getBytes(StandardCharsets.UTF_8).length,
          dataset.train().textBytes());
    }
  }

  @Test
  void bytes_ofACharacterCutByTheSplit_areCountedOnEachSide() throws IOException {
    Tokenizer bytes = BytePairTokenizer.learn(List.of("a"), 257);
    try (Dataset dataset =
        Dataset.prepare(
            Corpus.of(List.of("😀a😀")), bytes, options().withValidationFraction(0.7))) {
      assertEquals(2, dataset.train().textBytes()); // 9 bytes: ⌊2.7⌋
      assertEquals(7, dataset.validation().textBytes());
    }
  }

  @Test
  void obama_isADocumentAPost() throws IOException {
    Corpus corpus =
        Corpus.of(SharedData.path("tweets/obama.csv"))
            .withCharset(StandardCharsets.ISO_8859_1)
            .withHtmlEntitiesDecoded();
    Tokenizer tokenizer = BytePairTokenizer.learn(Documents.of(corpus), 300);
    try (Dataset dataset =
        Dataset.prepare(corpus, tokenizer, options().withValidationFraction(0))) {
      int ends = 0;
      for (int id : ids(dataset.train())) {
        ends += id == tokenizer.endOfText() ? 1 : 0;
      }
      assertEquals(3207 - 1, ends);
      assertEquals(corpus.digest(), dataset.digest());
    }
  }

  @Test
  void temporaryFile_isDeletedOnClose() throws IOException {
    Dataset dataset = Dataset.prepare(Corpus.of(List.of("abcd")), LETTERS, options());
    Path file = dataset.file();
    assertTrue(Files.exists(file));
    dataset.close();
    assertFalse(Files.exists(file));
    dataset.close();
    assertThrows(IllegalStateException.class, () -> ids(dataset.train()));
  }

  @Test
  void fileInADirectory_staysAndIsOpenedAgain() throws IOException {
    Path place = directory.resolve("new/run");
    Corpus corpus = Corpus.of(List.of("abcd", "ab"));
    String digest;
    try (Dataset dataset = Dataset.prepare(corpus, LETTERS, options().withDirectory(place))) {
      digest = dataset.digest();
    }
    assertEquals(List.of(place.resolve("dataset.tokens")), files(place));
    try (Dataset dataset = Dataset.open(place, LETTERS)) {
      assertArrayEquals(new int[] {0, 1, 2, 3, END, 0}, ids(dataset.train()));
      assertArrayEquals(new int[] {1}, ids(dataset.validation()));
      assertEquals(digest, dataset.digest());
    }
    assertEquals(List.of(place.resolve("dataset.tokens")), files(place));
  }

  @Test
  void open_withAnotherTokenizer_isRefused() throws IOException {
    Dataset.prepare(Corpus.of(List.of("ab")), LETTERS, options().withDirectory(directory)).close();
    for (Tokenizer other :
        List.of(
            CharacterTokenizer.of('a', 'b'), CharacterTokenizer.of('a', 'b', 'c', 'd', 'e', 'f'))) {
      String message =
          assertThrows(IOException.class, () -> Dataset.open(directory, other).close())
              .getMessage();
      assertTrue(message.contains("made with another tokenizer"), message);
    }
  }

  @Test
  void open_withoutFile_isRefused() {
    assertThrows(NoSuchFileException.class, () -> Dataset.open(directory, LETTERS).close());
  }

  @Test
  void fileBytes_doNotDependOnThreads() throws IOException {
    Corpus corpus = Corpus.of(List.of("abcd".repeat(50_000), "é😀".repeat(100_000), "a"));
    byte[] expected = {};
    for (int threads = 1; threads <= 3; threads++) {
      Path place = directory.resolve("run" + threads);
      DatasetOptions options = DatasetOptions.defaults().withThreads(threads).withDirectory(place);
      Dataset.prepare(corpus, LETTERS, options).close();
      byte[] bytes = Files.readAllBytes(place.resolve("dataset.tokens"));
      if (threads == 1) {
        expected = bytes;
      }
      assertArrayEquals(expected, bytes);
    }
  }

  @Test
  void prepare_thatFails_leavesNothing() throws IOException {
    Path bad = Documents.write(directory, "bad/a.txt", new byte[] {'a', -1});
    Path place = directory.resolve("run");
    assertThrows(
        MalformedTextException.class,
        () -> Dataset.prepare(Corpus.of(bad), LETTERS, options().withDirectory(place)).close());
    assertEquals(List.of(), files(place));
  }

  @Test
  void prepare_interrupted_endsAndLeavesNothing() throws IOException {
    Path place = directory.resolve("run");
    Thread.currentThread().interrupt();
    try {
      assertThrows(
          InterruptedIOException.class,
          () ->
              Dataset.prepare(Corpus.of(List.of("abcd")), LETTERS, options().withDirectory(place))
                  .close());
    } finally {
      assertTrue(Thread.interrupted());
    }
    assertEquals(List.of(), files(place));
  }

  /** Interrupted while it waits for its workers, in the middle of an endless corpus. */
  @Test
  void prepare_interruptedWhileTokenizing_endsAndLeavesNothing() throws IOException {
    Path place = directory.resolve("run");
    Thread caller = Thread.currentThread();
    Iterable<String> endless =
        () ->
            new java.util.Iterator<>() {
              private int count;

              @Override
              public boolean hasNext() {
                return true;
              }

              @Override
              public String next() {
                if (++count == 100) {
                  caller.interrupt();
                }
                return "abcd".repeat(10_000);
              }
            };
    try {
      assertThrows(
          InterruptedIOException.class,
          () ->
              Dataset.prepare(Corpus.of(endless), LETTERS, options().withDirectory(place)).close());
    } finally {
      assertTrue(Thread.interrupted());
    }
    assertEquals(List.of(), files(place));
  }

  @Test
  void requireWindows_tooLittleText_saysHowMuchIsNeeded() throws IOException {
    Corpus corpus = Corpus.of(List.of("a".repeat(1500)));
    try (Dataset dataset = Dataset.prepare(corpus, LETTERS, options())) {
      dataset.requireWindows(1349);
      assertTooLittle(dataset, 1350, "training part has 1,350 tokens (1,350 bytes", "least 1,351");
    }
    try (Dataset dataset = Dataset.prepare(Corpus.of(List.of("abcd")), LETTERS, options())) {
      assertTooLittle(dataset, 1, "validation part has 1 tokens (1 bytes", "least 2");
    }
    try (Dataset dataset = Dataset.prepare(Corpus.of(List.<String>of()), LETTERS, options())) {
      assertTooLittle(dataset, 1, "training part has 0 tokens", "least 2");
    }
  }

  @Test
  void requireWindows_saysTheSameInEveryLocaleAndTimeZone() throws IOException {
    Locale locale = Locale.getDefault();
    TimeZone zone = TimeZone.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kathmandu"));
      requireWindows_tooLittleText_saysHowMuchIsNeeded();
      fileBytes_doNotDependOnThreads();
    } finally {
      Locale.setDefault(locale);
      TimeZone.setDefault(zone);
    }
  }

  private static void assertTooLittle(Dataset dataset, int contextLength, String... said) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> dataset.requireWindows(contextLength))
            .getMessage();
    for (String part : said) {
      assertTrue(message.contains(part), message);
    }
  }

  /** The digest by Python: {@code sha256(struct.pack('<5i', 4, 0, 3, 1, 2)).hexdigest()}. */
  @Test
  void ids_areKeptInTheirParts() throws IOException {
    Path file;
    try (Dataset dataset = Dataset.ofIds(new int[] {4, 0, 3}, new int[] {1, 2}, 5)) {
      assertArrayEquals(new int[] {4, 0, 3}, ids(dataset.train()));
      assertArrayEquals(new int[] {1, 2}, ids(dataset.validation()));
      assertEquals(5, dataset.vocabularySize());
      assertEquals(3, dataset.train().textBytes());
      assertEquals(
          "7982b8f2183df9d9b99ee86d4b438f23db6980377128ed75267dc91edbcdafa0", dataset.digest());
      file = dataset.file();
      assertTrue(Files.exists(file));
    }
    assertFalse(Files.exists(file));
  }

  @Test
  void ids_moreThanAreDigestedAtATime_areAllThere() throws IOException {
    // The digest by Python: sha256(struct.pack('<10000i', *(7 * i for i in range(10000))))
    int[] train = IntStream.range(0, 10_000).map(i -> i * 7).toArray();
    try (Dataset dataset = Dataset.ofIds(train, new int[0], 70_000)) { // ids of 32 bits
      assertArrayEquals(train, ids(dataset.train()));
      assertEquals(0, dataset.validation().length());
      assertEquals(
          "28e0a675af0c439d8f8cce2642ad25e9553fe5b975f677a43da7cad1706a9862", dataset.digest());
    }
  }

  @Test
  void ids_outsideTheVocabulary_areRefused() {
    assertRefused("id 5 is outside the vocabulary of 5", new int[] {5}, new int[0], 5);
    assertRefused("id -1 is outside the vocabulary of 5", new int[0], new int[] {-1}, 5);
    assertRefused("vocabularySize (0) must be positive", new int[0], new int[0], 0);
  }

  private static void assertRefused(String said, int[] train, int[] validation, int vocabulary) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Dataset.ofIds(train, validation, vocabulary).close())
            .getMessage();
    assertEquals(said, message);
  }

  @Test
  void options_outsideTheirRange_areRefused() {
    DatasetOptions defaults = DatasetOptions.defaults();
    for (double fraction : new double[] {-0.1, 1.1, Double.NaN}) {
      String message =
          assertThrows(
                  IllegalArgumentException.class, () -> defaults.withValidationFraction(fraction))
              .getMessage();
      assertTrue(message.contains("validationFraction (" + fraction + ")"), message);
    }
    assertThrows(IllegalArgumentException.class, () -> defaults.withThreads(0));
  }
}
