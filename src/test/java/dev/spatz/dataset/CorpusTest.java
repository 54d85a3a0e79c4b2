package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.SharedData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CorpusTest {
  private static final String MIXED = "aé€😀b😀€éc𝔘ߺ\u0000z";

  @TempDir Path directory;

  @Test
  void textFile_isOneDocumentAsItIs() throws IOException {
    String text = " one\r\ntwo\n\n&amp; \"three\"\r";
    Path file = Documents.write(directory, "a.txt", text);
    assertEquals(List.of(text), Documents.of(Corpus.of(file)));
  }

  @Test
  void textFile_withoutKnownExtension_isTextWhereNamedItself() throws IOException {
    Path english = Documents.write(directory, "corpus.en", "x,y\n");
    Path csv = Documents.write(directory, "csv", "x,y\n");
    assertEquals(List.of("x,y\n", "x,y\n"), Documents.of(Corpus.of(english, csv)));
  }

  @Test
  void textFile_empty_isAnEmptyDocument() throws IOException {
    assertEquals(List.of(""), Documents.of(Corpus.of(Documents.write(directory, "a.txt", ""))));
  }

  @Test
  void byteOrderMark_isSkippedOnceAtTheBeginning() throws IOException {
    Path file = Documents.write(directory, "a.txt", "\uFEFF\uFEFFa\uFEFF");
    assertEquals(List.of("\uFEFFa\uFEFF"), Documents.of(Corpus.of(file)));
    Path only = Documents.write(directory, "b.txt", "\uFEFF");
    assertEquals(List.of(""), Documents.of(Corpus.of(only)));
    Path csv = Documents.write(directory, "c.csv", "\uFEFFtext\na\n");
    assertEquals(List.of("a"), Documents.of(Corpus.of(csv)));
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5, 6, 7, 8, 9, 11, 13})
  void text_cutAtEveryBufferBoundary_staysWhole(int bufferBytes) throws IOException {
    for (int shift = 0; shift < 13; shift++) {
      String text = "x".repeat(shift) + MIXED.repeat(5);
      Path text1 = Documents.write(directory, "a.txt", text);
      Path csv = Documents.write(directory, "a.csv", "id,text\r\n1,\"" + text + "\"\r\n");
      Path json = Documents.write(directory, "a.jsonl", "{\"text\": \"" + json(text) + "\"}\n");
      Corpus corpus = Corpus.of(text1, csv, json).withBufferBytes(bufferBytes);
      assertEquals(List.of(text, text, text), Documents.of(corpus));
    }
  }

  private static String json(String text) {
    return text.replace("\u0000", "\\u0000");
  }

  /** Bytes that are no UTF-8 by The Unicode Standard's table 3-7, behind well-formed ones. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "80", // a continuation without a beginning
        "C3", // ends within a character
        "E282",
        "F09F98",
        "E28278", // broken off
        "C0AF", // an overlong form
        "EDA080", // a surrogate
        "F4908080", // beyond U+10FFFF
        "FF"
      })
  void malformedUtf8_isAnErrorWithFileAndByteOffset(String hexadecimal) throws IOException {
    byte[] bad = HexFormat.of().parseHex(hexadecimal);
    for (int shift = 0; shift < 9; shift++) {
      byte[] good = ("x".repeat(shift) + "é€😀").getBytes(StandardCharsets.UTF_8);
      byte[] bytes = Arrays.copyOf(good, good.length + bad.length);
      System.arraycopy(bad, 0, bytes, good.length, bad.length);
      Path file = Documents.write(directory, "bad.txt", bytes);
      for (int buffer : new int[] {4, 5, 7, 1 << 16}) {
        Corpus corpus = Corpus.of(file).withBufferBytes(buffer);
        String message =
            assertThrows(MalformedTextException.class, () -> Documents.of(corpus)).getMessage();
        assertTrue(message.startsWith(file + ", byte " + good.length + ": not UTF-8"), message);
      }
    }
  }

  @Test
  void charset_isDecodedStrictly() throws IOException {
    Path latin1 = Documents.write(directory, "a.txt", "Möwe".getBytes("ISO-8859-1"));
    Corpus corpus = Corpus.of(latin1);
    assertEquals(List.of("Möwe"), Documents.of(corpus.withCharset(StandardCharsets.ISO_8859_1)));
    assertThrows(
        MalformedTextException.class,
        () -> Documents.of(corpus.withCharset(StandardCharsets.US_ASCII)));
    Path utf16 = Documents.write(directory, "b.txt", "a😀".getBytes(StandardCharsets.UTF_16));
    assertEquals(
        List.of("a😀"),
        Documents.of(Corpus.of(utf16).withCharset(StandardCharsets.UTF_16).withBufferBytes(5)));
  }

  @Test
  void directory_givesItsTextFilesSortedAndWithoutHiddenOnes() throws IOException {
    Documents.write(directory, "d/b.txt", "b");
    Documents.write(directory, "d/a/z.MD", "z");
    Documents.write(directory, "d/a/B.text", "B");
    Documents.write(directory, "d/c.jsonl", "{\"text\":\"c\"}");
    Documents.write(directory, "d/d.csv", "text\nd1\nd2");
    Documents.write(directory, "d/.hidden.txt", "hidden");
    Documents.write(directory, "d/.git/x.txt", "hidden");
    Documents.write(directory, "d/e.png", new byte[] {-1});
    Documents.write(directory, "d/txt", "no extension");
    assertEquals(
        List.of("B", "z", "b", "c", "d1", "d2"), Documents.of(Corpus.of(directory.resolve("d"))));
  }

  @Test
  void directory_thatIsHiddenItself_isReadWhereNamed() throws IOException {
    Documents.write(directory, ".d/a.txt", "a");
    assertEquals(List.of("a"), Documents.of(Corpus.of(directory.resolve(".d"))));
  }

  @Test
  void directory_withoutTextFile_isRefused() throws IOException {
    Documents.write(directory, "d/e.png", "x");
    Corpus corpus = Corpus.of(directory.resolve("d"));
    String message =
        assertThrows(NoSuchFileException.class, () -> Documents.of(corpus)).getMessage();
    assertTrue(message.contains(".csv, .jsonl, .md, .text, .txt"), message);
  }

  @Test
  void missingFile_isRefused() {
    Corpus corpus = Corpus.of(directory.resolve("absent.txt"));
    assertThrows(NoSuchFileException.class, () -> Documents.of(corpus));
    assertThrows(NoSuchFileException.class, corpus::sizeInBytes);
  }

  @Test
  void noPath_isRefused() {
    assertThrows(IllegalArgumentException.class, Corpus::of);
  }

  @Test
  void documentsOfTheApplication_areVisitedEachTime() throws IOException {
    Corpus corpus = Corpus.of(List.of("a", "", "😀"));
    assertEquals(List.of("a", "", "😀"), Documents.of(corpus));
    assertEquals(List.of("a", "", "😀"), Documents.of(corpus));
    assertEquals(OptionalLong.empty(), corpus.sizeInBytes());
  }

  @Test
  void documentOfTheApplication_nullOrMalformed_isRefused() {
    String nullMessage =
        assertThrows(
                IllegalArgumentException.class,
                () -> Documents.of(Corpus.of(Arrays.asList("a", null))))
            .getMessage();
    assertTrue(nullMessage.contains("document 2"), nullMessage);
    for (String bad : new String[] {"ab\uD83D", "ab\uD83Dc", "ab\uDE00", "ab\uDE00\uD83D"}) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> Documents.of(Corpus.of(List.of(bad))))
              .getMessage();
      assertTrue(message.contains("document 1") && message.contains("index 2"), message);
    }
  }

  @Test
  void settingForFiles_onDocumentsOfTheApplication_isRefused() {
    Corpus corpus = Corpus.of(List.of("a"));
    assertThrows(IllegalStateException.class, () -> corpus.withTextField("a"));
    assertThrows(IllegalStateException.class, () -> corpus.withTextColumn("a"));
    assertThrows(IllegalStateException.class, corpus::withHtmlEntitiesDecoded);
    assertThrows(IllegalStateException.class, () -> corpus.withCharset(StandardCharsets.UTF_16));
  }

  @Test
  void settingThatMeetsNoFile_isRefused() throws IOException {
    Corpus corpus = Corpus.of(Documents.write(directory, "a.txt", "a"));
    for (Corpus set :
        List.of(
            corpus.withTextField("a"),
            corpus.withTextColumn("a"),
            corpus.withHtmlEntitiesDecoded())) {
      assertThrows(IllegalArgumentException.class, () -> Documents.of(set));
    }
  }

  @Test
  void visitorsException_endsTheVisit() throws IOException {
    Path file = Documents.write(directory, "a.txt", "abc".repeat(100));
    AtomicInteger calls = new AtomicInteger();
    DocumentVisitor failing =
        new DocumentVisitor() {
          @Override
          public void text(CharSequence piece) throws IOException {
            calls.incrementAndGet();
            throw new IOException("full");
          }

          @Override
          public void endOfDocument() {
            calls.incrementAndGet();
          }
        };
    Corpus corpus = Corpus.of(file, file).withBufferBytes(8);
    assertEquals(
        "full", assertThrows(IOException.class, () -> corpus.forEach(failing)).getMessage());
    assertEquals(1, calls.get());
  }

  @Test
  void sizeInBytes_isThatOfAllFiles() throws IOException {
    Documents.write(directory, "d/a.txt", "123");
    Documents.write(directory, "d/b.md", "12345");
    Path file = Documents.write(directory, "c.csv", "text\n1\n");
    assertEquals(OptionalLong.of(3 + 5 + 7), Corpus.of(directory.resolve("d"), file).sizeInBytes());
  }

  /** Expected values from sha256sum, and from Python's hashlib over the bytes joined by 0xFF. */
  @Test
  void digest_isSha256OfTheTextAndItsBorders() throws IOException {
    String mixed = "df9226927fd572c1ee66eec85de1bb139497614899f36e4e90474cb71f6ef9d0";
    Path file = Documents.write(directory, "a.txt", "é€😀");
    Path marked = Documents.write(directory, "b.txt", "\uFEFFé€😀");
    assertEquals(mixed, Corpus.of(file).withBufferBytes(4).digest());
    assertEquals(mixed, Corpus.of(marked).digest());
    assertEquals(mixed, Corpus.of(List.of("é€😀")).digest());
    assertEquals(
        "21a9084c7c5a2bf045bc87d691d56a1a6b19dc184e85aab40b35ca26fe33d1f4",
        Corpus.of(List.of("ab", "", "c")).digest());
    assertEquals(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        Corpus.of(List.of("")).digest());
  }

  @Test
  void extension_isKnownInEveryLocale() throws IOException {
    Path file = Documents.write(directory, "A.JSONL", "{\"text\":\"c\"}");
    Locale before = Locale.getDefault();
    try {
      for (String tag : List.of("tr", "ar-EG-u-nu-arab", "th-TH-u-nu-thai", "ja")) {
        Locale.setDefault(Locale.forLanguageTag(tag));
        assertEquals(List.of("c"), Documents.of(Corpus.of(file)));
      }
    } finally {
      Locale.setDefault(before);
    }
  }

  /** The figures are from Python's csv, html and hashlib on the same file. */
  @Test
  void obama_isNotUtf8AndReadInItsEncoding() throws IOException {
    Path file = SharedData.path("tweets/obama.csv");
    String message =
        assertThrows(MalformedTextException.class, () -> Documents.of(Corpus.of(file)))
            .getMessage();
    assertTrue(message.startsWith(file + ", byte 921: not UTF-8"), message);
    Corpus corpus =
        Corpus.of(file).withCharset(StandardCharsets.ISO_8859_1).withHtmlEntitiesDecoded();
    List<String> posts = Documents.of(corpus);
    assertEquals(3207, posts.size());
    assertEquals(373_722, posts.stream().mapToInt(String::length).sum());
    assertEquals(
        "33b4f9d8def882eddcd14f2e3d200a8df2150676eff6effc2f2e583fc4eea8c6", corpus.digest());
    assertEquals(OptionalLong.of(Files.size(file)), corpus.sizeInBytes());
  }

  /** Expected value from sha256sum. */
  @Test
  void grimm_hasTheDigestOfItsFile() throws IOException {
    assertEquals(
        "e5f7472fab6e2ebe220d95d08321e8f4f39ba22515a6825eabfcbe3e642f4144",
        Corpus.of(SharedData.path("german/grimm.txt")).digest());
  }
}
