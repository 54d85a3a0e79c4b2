package dev.spatz.dataset;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What a token file says about itself, before its ids. Little-endian:
 *
 * <pre>
 * byte[8] magic "SPATZTOK"
 * int     version, 1
 * int     bytes of an id: 2 for a vocabulary of up to 65,536, else 4
 * int     vocabulary size V
 * int     0
 * long    number of ids
 * long    number of them, from the first, that are the training part; the others are validation
 * byte[32] SHA-256 of the documents' text
 * int[V]  bytes of text that each id stands for; 0 for special tokens
 * ids, up to the end of the file
 * </pre>
 *
 * @param vocabularySize every id is smaller
 * @param length number of ids
 * @param trainLength number of ids of the training part
 * @param digest SHA-256 of the documents' text, 32 bytes
 * @param textBytes bytes of text per id
 */
record TokenFileHeader(
    int vocabularySize, long length, long trainLength, byte[] digest, int[] textBytes) {
  /** A vocabulary up to this size has 16-bit ids. */
  static final int MAX_SHORT_VOCABULARY = 1 << 16;

  /** No token stands for more bytes of text; so sums of them cannot overflow. */
  static final int MAX_TEXT_BYTES = 1 << 20;

  private static final byte[] MAGIC = {'S', 'P', 'A', 'T', 'Z', 'T', 'O', 'K'};
  private static final int VERSION = 1;
  private static final int FIXED_BYTES = 72;

  int idBytes() {
    return vocabularySize <= MAX_SHORT_VOCABULARY ? Short.BYTES : Integer.BYTES;
  }

  /** Where the ids begin in the file. */
  long bytes() {
    return bytes(vocabularySize);
  }

  static long bytes(int vocabularySize) {
    return FIXED_BYTES + (long) Integer.BYTES * vocabularySize;
  }

  /** Writes the header at the beginning of a file. */
  void write(FileChannel channel) throws IOException {
    ByteBuffer buffer = littleEndian(Math.toIntExact(bytes()));
    buffer.put(MAGIC).putInt(VERSION).putInt(idBytes()).putInt(vocabularySize).putInt(0);
    buffer.putLong(length).putLong(trainLength).put(digest);
    buffer.asIntBuffer().put(textBytes);
    buffer.position(0).limit(buffer.capacity());
    while (buffer.hasRemaining()) {
      channel.write(buffer, buffer.position());
    }
  }

  /** Reads a header and holds it against the size of the file. */
  static TokenFileHeader read(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    check(size >= FIXED_BYTES, file, 0, size + " bytes are too few for a token file");
    ByteBuffer fixed = readFully(channel, 0, FIXED_BYTES, file);
    byte[] magic = new byte[MAGIC.length];
    fixed.get(magic);
    check(Arrays.equals(magic, MAGIC), file, 0, "no token file");
    int version = fixed.getInt();
    check(version == VERSION, file, 8, "version " + version + " is not " + VERSION);
    int idBytes = fixed.getInt();
    int vocabularySize = fixed.getInt();
    check(
        vocabularySize > 0 && bytes(vocabularySize) <= Math.min(size, Integer.MAX_VALUE),
        file,
        16,
        "vocabulary of " + vocabularySize + " in a file of " + size + " bytes");
    int zero = fixed.getInt();
    check(zero == 0, file, 20, zero + " is not 0");
    long length = fixed.getLong();
    long trainLength = fixed.getLong();
    byte[] digest = new byte[TextDigest.BYTES];
    fixed.get(digest);
    int tableBytes = Integer.BYTES * vocabularySize;
    int[] textBytes = new int[vocabularySize];
    readFully(channel, FIXED_BYTES, tableBytes, file).asIntBuffer().get(textBytes);
    TokenFileHeader header =
        new TokenFileHeader(vocabularySize, length, trainLength, digest, textBytes);
    check(
        idBytes == header.idBytes(),
        file,
        12,
        "ids of " + idBytes + " bytes for a vocabulary of " + vocabularySize);
    long idsSize = size - header.bytes();
    check(
        idsSize % idBytes == 0 && length == idsSize / idBytes,
        file,
        24,
        length + " ids announced, but " + idsSize + " bytes of them there");
    check(
        trainLength >= 0 && trainLength <= length,
        file,
        32,
        "training part of " + trainLength + " of " + length + " ids");
    for (int id = 0; id < vocabularySize; id++) {
      check(
          textBytes[id] >= 0 && textBytes[id] <= MAX_TEXT_BYTES,
          file,
          FIXED_BYTES + (long) Integer.BYTES * id,
          "id " + id + " said to stand for " + textBytes[id] + " bytes of text");
    }
    return header;
  }

  private static void check(boolean sound, Path file, long offset, String fault)
      throws IOException {
    if (!sound) {
      throw new IOException(file + ", byte " + offset + ": " + fault);
    }
  }

  private static ByteBuffer readFully(FileChannel channel, long position, int count, Path file)
      throws IOException {
    ByteBuffer buffer = littleEndian(count);
    while (buffer.hasRemaining()) {
      int read = channel.read(buffer, position + buffer.position());
      check(read >= 0, file, position + buffer.position(), "the file ends here");
    }
    return buffer.flip();
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
