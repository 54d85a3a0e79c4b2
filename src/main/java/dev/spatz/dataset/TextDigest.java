package dev.spatz.dataset;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of documents' UTF-8 bytes, with a byte 0xFF, which UTF-8 never has, between them. */
final class TextDigest implements DocumentVisitor {
  /** Bytes of a digest. */
  static final int BYTES = 32;

  /** Ids that are digested at a time. */
  private static final int IDS = 1 << 12;

  private static final byte SEPARATOR = (byte) 0xFF;

  private final MessageDigest sha256;
  private boolean separate;

  TextDigest() {
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public void text(CharSequence piece) {
    separateDocuments();
    sha256.update(StandardCharsets.UTF_8.encode(CharBuffer.wrap(piece)));
  }

  @Override
  public void endOfDocument() {
    separateDocuments(); // an empty document counts, too
    separate = true;
  }

  /** Counts ids, where there is no text, as little-endian 32-bit integers. */
  void ids(int[] ids) {
    ByteBuffer buffer = ByteBuffer.allocate(IDS * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int from = 0; from < ids.length; from += IDS) {
      buffer.clear();
      for (int i = from; i < Math.min(from + IDS, ids.length); i++) {
        buffer.putInt(ids[i]);
      }
      sha256.update(buffer.flip());
    }
  }

  private void separateDocuments() {
    if (separate) {
      sha256.update(SEPARATOR);
      separate = false;
    }
  }

  /** The digest; the end of this object's use. */
  byte[] digest() {
    return sha256.digest();
  }

  static String hexadecimal(byte[] digest) {
    return HexFormat.of().formatHex(digest);
  }
}
