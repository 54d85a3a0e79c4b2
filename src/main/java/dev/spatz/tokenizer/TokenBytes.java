package dev.spatz.tokenizer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** What each token id adds to a text, in UTF-8; special tokens add nothing. */
final class TokenBytes {
  private final byte[] bytes;
  private final int[] offsets;

  /** A text loses this byte at its begin. */
  final byte stripped;

  /** How often at most. */
  final int strip;

  TokenBytes(List<byte[]> tokens) {
    this(tokens, (byte) ' ', 0);
  }

  TokenBytes(List<byte[]> tokens, byte stripped, int strip) {
    this.stripped = stripped;
    this.strip = strip;
    offsets = new int[tokens.size() + 1];
    for (int id = 0; id < tokens.size(); id++) {
      offsets[id + 1] = Math.addExact(offsets[id], tokens.get(id).length);
    }
    bytes = new byte[offsets[tokens.size()]];
    for (int id = 0; id < tokens.size(); id++) {
      System.arraycopy(tokens.get(id), 0, bytes, offsets[id], length(id));
    }
  }

  int size() {
    return offsets.length - 1;
  }

  int length(int id) {
    return offsets[id + 1] - offsets[id];
  }

  void requireId(int id) {
    if (id < 0 || id >= size()) {
      throw new IllegalArgumentException(
          "token id " + id + " is outside the vocabulary; its ids are 0 to " + (size() - 1));
    }
  }

  void copyTo(ByteBuffer target, int id) {
    target.put(bytes, offsets[id], length(id));
  }

  byte[] copy(int id) {
    requireId(id);
    return Arrays.copyOfRange(bytes, offsets[id], offsets[id + 1]);
  }

  String decode(int[] ids) {
    int length = 0;
    for (int id : ids) {
      requireId(id);
      length = Math.addExact(length, length(id));
    }
    ByteBuffer text = ByteBuffer.allocate(length);
    for (int id : ids) {
      copyTo(text, id);
    }
    int begin = 0;
    while (begin < Math.min(strip, length) && text.get(begin) == stripped) {
      begin++;
    }
    return new String(text.array(), begin, length - begin, StandardCharsets.UTF_8);
  }
}
