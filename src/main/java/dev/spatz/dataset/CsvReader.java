package dev.spatz.dataset;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads comma-separated records as RFC 4180 defines them: fields may be quoted, a quoted field may
 * contain commas, line breaks and doubled quotes. Line breaks between records are LF, CRLF or CR;
 * empty lines are no records.
 */
final class CsvReader {
  /** A record is held in memory; a longer one is a broken file, such as a quote never closed. */
  static final int MAX_RECORD_CHARS = 1 << 26;

  private static final int NOT_READ = -2;

  private final Path file;
  private final TextReader in;
  private final int maxRecordChars;
  private int next = NOT_READ;
  private long line = 1;
  private long recordLine;
  private int recordChars;

  CsvReader(Path file, TextReader in, int maxRecordChars) {
    this.file = file;
    this.in = in;
    this.maxRecordChars = maxRecordChars;
  }

  /** The line, from 1, in which the last record began. */
  long recordLine() {
    return recordLine;
  }

  /** The fields of the next record, or null at the end of the file. */
  @Nullable List<String> record() throws IOException {
    while (isLineBreak(peek())) {
      lineBreak(null);
    }
    if (peek() == TextReader.END) {
      return null;
    }
    recordLine = line;
    recordChars = 0;
    List<String> fields = new ArrayList<>();
    fields.add(field());
    while (peek() == ',') {
      take();
      fields.add(field());
    }
    if (peek() != TextReader.END) {
      lineBreak(null);
    }
    return fields;
  }

  private String field() throws IOException {
    StringBuilder field = new StringBuilder();
    if (peek() == '"') {
      quoted(field);
    } else {
      unquoted(field);
    }
    return field.toString();
  }

  private void unquoted(StringBuilder field) throws IOException {
    for (int c = peek(); c != ',' && c != TextReader.END && !isLineBreak(c); c = peek()) {
      if (c == '"') {
        throw fault("a quote within a field that does not begin with one");
      }
      append(field, take());
    }
  }

  private void quoted(StringBuilder field) throws IOException {
    long openedInLine = line;
    take();
    while (true) {
      int c = peek();
      if (c == TextReader.END) {
        throw MalformedTextException.atLine(
            file, openedInLine, "the quoted field that begins here never ends");
      } else if (isLineBreak(c)) {
        lineBreak(field);
      } else if (c != '"') {
        append(field, take());
      } else {
        take();
        if (peek() != '"') {
          break;
        }
        append(field, take());
      }
    }
    int after = peek();
    if (after != ',' && after != TextReader.END && !isLineBreak(after)) {
      throw fault("a quoted field goes on after its closing quote");
    }
  }

  /** Takes LF, CRLF or CR as one line break, and keeps it as it is where it belongs to a field. */
  private void lineBreak(@Nullable StringBuilder field) throws IOException {
    char first = take();
    if (field != null) {
      append(field, first);
    }
    if (first == '\r' && peek() == '\n') {
      take();
      if (field != null) {
        append(field, '\n');
      }
    }
    line++;
  }

  private void append(StringBuilder field, char c) throws IOException {
    if (++recordChars > maxRecordChars) {
      throw MalformedTextException.atLine(
          file,
          recordLine,
          "the record that begins here is longer than " + maxRecordChars + " characters");
    }
    field.append(c);
  }

  private MalformedTextException fault(String what) {
    return MalformedTextException.atLine(file, line, what);
  }

  private static boolean isLineBreak(int c) {
    return c == '\n' || c == '\r';
  }

  private int peek() throws IOException {
    if (next == NOT_READ) {
      next = in.read();
    }
    return next;
  }

  private char take() throws IOException {
    char taken = (char) peek();
    next = NOT_READ;
    return taken;
  }
}
