package dev.spatz.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** Standard input and output, and whether a person is there. */
final class Terminal {
  private Terminal() {}

  /** Whether standard input and output are a terminal that can redraw a line. */
  static boolean isThere() {
    // JDK 22 to 24 would otherwise also give a console where there is no terminal.
    if (System.getProperty("jdk.console") == null) {
      System.setProperty("jdk.console", "java.base");
    }
    return System.console() != null && !"dumb".equals(System.getenv("TERM"));
  }

  /**
   * The encoding of texts outside: what the system says, but UTF-8 where it names none. A program
   * in a container often has no locale, which would cost every umlaut.
   */
  static Charset charset() {
    String name = System.getProperty("stdout.encoding", System.getProperty("native.encoding"));
    Charset said = name == null ? Charset.defaultCharset() : Charset.forName(name);
    return said.equals(StandardCharsets.US_ASCII) ? StandardCharsets.UTF_8 : said;
  }

  static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(stream, true, charset());
  }

  /** Lines; what is not in the encoding is an IOException. */
  static BufferedReader reader(InputStream stream) {
    return new BufferedReader(new InputStreamReader(stream, charset().newDecoder()));
  }

  static BufferedReader standardInput() {
    return reader(System.in);
  }

  /** All of standard input, without the line end that a shell puts behind it. */
  static String readStandardInput() throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(System.in.readAllBytes());
    String text;
    try {
      text = charset().newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw notInEncoding(e);
    }
    return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
  }

  static IOException notInEncoding(CharacterCodingException cause) {
    return new IOException("standard input is not text in " + charset(), cause);
  }
}
