package dev.spatz.dataset;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Reads a text file as a stream and decodes it strictly: bytes that are no text in the file's
 * encoding are an error with their offset, never a replacement character. A byte order mark at the
 * beginning is skipped.
 */
final class TextReader implements Closeable {
  static final int DEFAULT_BUFFER_BYTES = 1 << 16;
  static final int END = -1;
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private final Path file;
  private final InputStream in;
  private final CharsetDecoder decoder;
  private final ByteBuffer bytes;
  private final CharBuffer chars;
  private long offsetOfBuffer; // in the file, of the first byte in the buffer
  private boolean endOfInput; // all bytes are in the buffer
  private boolean flushed; // and all characters out of the decoder
  private boolean started;

  /**
   * Opens a file.
   *
   * @param bufferBytes at least the longest byte sequence of one character: 4 for UTF-8
   */
  TextReader(Path file, Charset charset, int bufferBytes) throws IOException {
    this.file = file;
    this.decoder =
        charset
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    this.bytes = ByteBuffer.allocate(bufferBytes).flip();
    this.chars = CharBuffer.allocate(bufferBytes).flip();
    this.in = Files.newInputStream(file);
  }

  /**
   * The characters up to the end of the buffer, or null at the end of the file. The piece is valid
   * until the next call.
   */
  @Nullable CharBuffer piece() throws IOException {
    if (!chars.hasRemaining() && !fill()) {
      return null;
    }
    CharBuffer piece = chars.duplicate();
    chars.position(chars.limit());
    return piece;
  }

  /** The next UTF-16 unit, or {@link #END}. */
  int read() throws IOException {
    return chars.hasRemaining() || fill() ? chars.get() : END;
  }

  private boolean fill() throws IOException {
    while (!chars.hasRemaining() && !flushed) {
      chars.clear();
      decode();
      chars.flip();
      if (!started && chars.hasRemaining()) {
        started = true;
        if (chars.get(0) == BYTE_ORDER_MARK) {
          chars.position(1);
        }
      }
    }
    return chars.hasRemaining();
  }

  /** Decodes at least one character, unless the file is at its end. */
  private void decode() throws IOException {
    while (true) {
      CoderResult result = decoder.decode(bytes, chars, endOfInput);
      if (result.isError()) {
        throw MalformedTextException.atByte(
            file,
            offsetOfBuffer + bytes.position(),
            "not "
                + decoder.charset().name()
                + "; if the file is in another encoding, name its charset");
      }
      if (chars.position() > 0) {
        return;
      }
      if (endOfInput) {
        decoder.flush(chars);
        flushed = true;
        return;
      }
      readBytes();
    }
  }

  private void readBytes() throws IOException {
    offsetOfBuffer += bytes.position();
    bytes.compact();
    int read = in.read(bytes.array(), bytes.position(), bytes.remaining());
    if (read < 0) {
      endOfInput = true;
    } else {
      bytes.position(bytes.position() + read);
    }
    bytes.flip();
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
