package dev.spatz.dataset;

import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of documents' UTF-8 bytes, with a byte 0xFF, which UTF-8 never has, between them. */
final class TextDigest implements DocumentVisitor {
  /** Bytes of a digest. */
  static final int BYTES = 32;

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
