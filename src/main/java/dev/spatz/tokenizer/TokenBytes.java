package dev.spatz.tokenizer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What each token id adds to a text, in UTF-8; special tokens add nothing. */
final class TokenBytes {
  private final byte[] bytes;
  private final int[] offsets;

  TokenBytes(List<byte[]> tokens) {
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
    return new String(text.array(), StandardCharsets.UTF_8);
  }
}
