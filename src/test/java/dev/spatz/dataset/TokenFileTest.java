package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenFileTest {
  private static final int FIXED_BYTES = 72;

  @TempDir Path directory;

  private Path file() {
    return directory.resolve("a.tokens");
  }

  private static int[] textBytes(int vocabularySize) {
    int[] textBytes = new int[vocabularySize];
    Arrays.setAll(textBytes, id -> id % 7);
    return textBytes;
  }

  private int[] write(int vocabularySize, int length) throws IOException {
    int[] ids = new Random(vocabularySize).ints(length, 0, vocabularySize).toArray();
    if (length > 1) {
      ids[1] = vocabularySize - 1;
    }
    try (TokenFileWriter writer = new TokenFileWriter(file(), textBytes(vocabularySize))) {
      writer.write(Arrays.copyOf(ids, length / 3));
      writer.write(Arrays.copyOfRange(ids, length / 3, length));
      assertEquals(length, writer.length());
      writer.commit(length / 2, new byte[TextDigest.BYTES]);
    }
    return ids;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 2",
    "300, 2",
    "65535, 2",
    "65536, 2",
    "65537, 4",
    "100000, 4",
  })
  void ids_areWrittenWithTheFewestBytesAndReadBack(int vocabularySize, int idBytes)
      throws IOException {
    int[] ids = write(vocabularySize, 300_000);
    assertEquals(
        FIXED_BYTES + 4L * vocabularySize + (long) idBytes * ids.length, Files.size(file()));
    try (TokenFile tokens = TokenFile.open(file())) {
      assertEquals(ids.length, tokens.length());
      assertEquals(vocabularySize, tokens.vocabularySize());
      int[] read = new int[ids.length];
      tokens.read(0, read, 0, ids.length);
      assertArrayEquals(ids, read);
      assertEquals(vocabularySize - 1, tokens.get(1));
      assertEquals(ids[ids.length - 1], tokens.get(ids.length - 1));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {300, 70_000})
  void reading_acrossSegments_givesTheSameIds(int vocabularySize) throws IOException {
    int[] ids = write(vocabularySize, 50);
    for (int segmentBytes : new int[] {4, 8, 12, 64, 1 << 30}) {
      try (TokenFile tokens = TokenFile.open(file(), segmentBytes)) {
        for (int position = 0; position <= ids.length; position++) {
          for (int count = 0; position + count <= ids.length; count++) {
            int[] into = new int[count + 3];
            tokens.read(position, into, 2, count);
            assertArrayEquals(
                Arrays.copyOfRange(ids, position, position + count),
                Arrays.copyOfRange(into, 2, 2 + count));
            assertEquals(0, into[0] + into[1] + into[count + 2]);
          }
        }
      }
    }
  }

  @Test
  void textBytes_addUpOverAnyRange() throws IOException {
    int[] ids = write(100, 10_000);
    try (TokenFile tokens = TokenFile.open(file())) {
      assertEquals(Arrays.stream(ids).map(id -> id % 7).sum(), tokens.textBytes(0, 10_000));
      assertEquals(
          Arrays.stream(ids, 4_000, 9_999).map(id -> id % 7).sum(), tokens.textBytes(4_000, 9_999));
      assertEquals(0, tokens.textBytes(10_000, 10_000));
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.textBytes(-1, 3));
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.textBytes(3, 10_001));
    }
  }

  @Test
  void emptyFile_hasNoIds() throws IOException {
    write(10, 0);
    try (TokenFile tokens = TokenFile.open(file())) {
      assertEquals(0, tokens.length());
      tokens.read(0, new int[0], 0, 0);
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.get(0));
    }
  }

  @Test
  void reading_outsideTheFileOrTheArray_isRefused() throws IOException {
    write(10, 20);
    try (TokenFile tokens = TokenFile.open(file())) {
      int[] into = new int[5];
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.get(-1));
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.get(20));
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.get(Long.MAX_VALUE));
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.read(18, into, 0, 3));
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.read(0, into, 3, 3));
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.read(0, into, -1, 3));
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.read(0, into, 0, -1));
    }
  }

  @Test
  void reading_afterClose_isRefused() throws IOException {
    write(10, 20);
    TokenFile tokens = TokenFile.open(file());
    tokens.close();
    tokens.close();
    assertThrows(IllegalStateException.class, () -> tokens.get(0));
    assertTrue(Files.exists(file()));
  }

  @Test
  void reading_byManyThreads_givesTheSameIds() throws Exception {
    int[] ids = write(70_000, 20_000);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (TokenFile tokens = TokenFile.open(file(), 1 << 10)) {
      Callable<int[]> readAll =
          () -> {
            int[] read = new int[ids.length];
            for (int i = 0; i < ids.length; i += 100) {
              tokens.read(i, read, i, 100);
            }
            return read;
          };
      List<Future<int[]>> all = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        all.add(threads.submit(readAll));
      }
      for (Future<int[]> read : all) {
        assertArrayEquals(ids, read.get());
      }
    } finally {
      threads.shutdownNow();
    }
  }

  /** The file is sparse: it takes up a few blocks. */
  @ParameterizedTest
  @CsvSource({"65536, 2", "65537, 4"})
  void reading_beyond2To31Bytes_works(int vocabularySize, int idBytes) throws IOException {
    long length = 5_000_000_000L / idBytes;
    TokenFileHeader header =
        new TokenFileHeader(
            vocabularySize, length, length - 10, new byte[32], new int[vocabularySize]);
    long[] positions = {
      0,
      (1L << 30) / idBytes - 1,
      (1L << 30) / idBytes,
      (1L << 31) / idBytes - 1,
      (1L << 31) / idBytes,
      (1L << 32) / idBytes + 12_345,
      length - 1
    };
    try (FileChannel channel =
        FileChannel.open(
            file(),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      header.write(channel);
      for (int i = 0; i < positions.length; i++) {
        ByteBuffer id = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(65_529 + i);
        channel.write(id.flip().limit(idBytes), header.bytes() + positions[i] * idBytes);
      }
    }
    try (TokenFile tokens = TokenFile.open(file())) {
      assertEquals(length, tokens.length());
      for (int i = 0; i < positions.length; i++) {
        assertEquals(65_529 + i, tokens.get(positions[i]));
      }
      int[] around = new int[4];
      tokens.read(positions[1] - 1, around, 0, 4);
      assertArrayEquals(new int[] {0, 65_530, 65_531, 0}, around);
      TokenSequence validation = new TokenSequence(tokens, length - 10, 10);
      Windows windows = validation.windows(4);
      int[] inputs = new int[4];
      int[] targets = new int[4];
      assertEquals(1, windows.read(2, inputs, targets, 0));
      assertArrayEquals(new int[] {65_535, -1, -1, -1}, targets);
    }
    Files.delete(file());
  }

  @Test
  void idOutsideTheVocabulary_isFoundWhereItIsRead() throws IOException {
    for (int vocabularySize : new int[] {300, 70_000}) {
      write(vocabularySize, 20);
      int idBytes = vocabularySize == 300 ? 2 : 4;
      patch(FIXED_BYTES + 4L * vocabularySize + 13L * idBytes, idBytes, -1);
      try (TokenFile tokens = TokenFile.open(file())) {
        tokens.read(0, new int[13], 0, 13);
        String message =
            assertThrows(UncheckedIOException.class, () -> tokens.read(10, new int[20], 3, 10))
                .getMessage();
        assertTrue(
            message.contains(file() + ", position 13: id ")
                && message.contains("outside the vocabulary of " + vocabularySize),
            message);
        assertThrows(UncheckedIOException.class, () -> tokens.textBytes(0, 20));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, byte 0: no token file",
    "8, 2, byte 8: version 2 is not 1",
    "12, 4, byte 12: ids of 4 bytes for a vocabulary of 10",
    "16, 0, byte 16: vocabulary of 0",
    "16, -1, byte 16: vocabulary of -1",
    "16, 2147483647, byte 16: vocabulary of 2147483647",
    "16, 38, byte 16: vocabulary of 38",
    "20, 1, byte 20: 1 is not 0",
    "24, 19, byte 24: 19 ids announced",
    "24, 21, byte 24: 21 ids announced",
    "28, -1, byte 24: -",
    "28, 2147483647, byte 24: 9",
    "32, 21, byte 32: training part of 21 of 20 ids",
    "36, -1, byte 32: training part of -",
    "76, -1, byte 76: id 1 said to stand for -1 bytes",
    "108, 1048577, byte 108: id 9 said to stand for 1048577 bytes",
  })
  void headerThatIsWrong_isRefusedWithItsPlace(int offset, int value, String fault)
      throws IOException {
    write(10, 20);
    patch(offset, Integer.BYTES, value);
    refused(fault);
  }

  @Test
  void fileCutAnywhere_isRefused() throws IOException {
    write(10, 20);
    byte[] whole = Files.readAllBytes(file());
    for (int size = 0; size < whole.length; size++) {
      Files.write(file(), Arrays.copyOf(whole, size));
      refused("byte ");
    }
    Files.write(file(), Arrays.copyOf(whole, whole.length + 1));
    refused("byte 24: 20 ids announced");
  }

  private void refused(String fault) {
    String message =
        assertThrows(IOException.class, () -> TokenFile.open(file()).close()).getMessage();
    assertTrue(message.contains(file() + ", " + fault), message);
  }

  private void patch(long offset, int bytes, int value) throws IOException {
    ByteBuffer patch = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value);
    try (FileChannel channel = FileChannel.open(file(), StandardOpenOption.WRITE)) {
      channel.write(patch.flip().limit(bytes), offset);
    }
  }

  @Test
  void writer_idOutsideTheVocabulary_isRefused() throws IOException {
    try (TokenFileWriter writer = new TokenFileWriter(file(), textBytes(10))) {
      assertThrows(IllegalArgumentException.class, () -> writer.write(3, 10));
      assertThrows(IllegalArgumentException.class, () -> writer.write(-1));
    }
  }

  @Test
  void writer_tokenOfTooManyBytes_isRefused() {
    int[] textBytes = {1, TokenFileHeader.MAX_TEXT_BYTES + 1};
    assertThrows(
        IllegalArgumentException.class, () -> new TokenFileWriter(file(), textBytes).close());
  }

  @Test
  void writer_withoutCommit_leavesNothingAndTheOldFileAlone() throws IOException {
    int[] ids = write(10, 20);
    try (TokenFileWriter writer = new TokenFileWriter(file(), textBytes(10))) {
      writer.write(1, 2, 3);
    }
    try (TokenFile tokens = TokenFile.open(file());
        var files = Files.list(directory)) {
      assertEquals(ids.length, tokens.length());
      assertEquals(List.of(file()), files.toList());
    }
  }

  @Test
  void writer_ofAFileThatIsBeingWritten_isRefused() throws IOException {
    try (TokenFileWriter writer = new TokenFileWriter(file(), textBytes(10))) {
      writer.write(1, 2, 3);
      String message =
          assertThrows(IOException.class, () -> new TokenFileWriter(file(), textBytes(10)).close())
              .getMessage();
      assertTrue(message.contains("being written"), message);
      writer.commit(0, new byte[TextDigest.BYTES]);
    }
    try (TokenFile tokens = TokenFile.open(file())) {
      assertEquals(3, tokens.length());
    }
  }

  @Test
  void writer_overAnOpenFile_leavesItsReadersAlone() throws IOException {
    int[] ids = write(10, 20);
    try (TokenFile old = TokenFile.open(file())) {
      write(10, 7);
      assertEquals(ids[19], old.get(19));
    }
    try (TokenFile tokens = TokenFile.open(file())) {
      assertEquals(7, tokens.length());
      assertFalse(Files.exists(file().resolveSibling("a.tokens.partial")));
    }
  }
}
