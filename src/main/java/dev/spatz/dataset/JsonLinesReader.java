package dev.spatz.dataset;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Reads one string field of each line of a file of JSON objects, one a line. Lines of white space
 * only are no records.
 */
final class JsonLinesReader {
  /** A record is held in memory; a longer one is taken for a broken file. */
  static final int MAX_RECORD_CHARS = 1 << 26;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(MAX_RECORD_CHARS).build())
          .build();

  private final Path file;
  private final TextReader in;
  private final String field;
  private final int maxRecordChars;
  private final StringBuilder text = new StringBuilder();
  private long line;

  JsonLinesReader(Path file, TextReader in, String field, int maxRecordChars) {
    this.file = file;
    this.in = in;
    this.field = field;
    this.maxRecordChars = maxRecordChars;
  }

  /** The text of the next record, or null at the end of the file. */
  @Nullable String next() throws IOException {
    while (readLine()) {
      String record = text.toString();
      if (!record.isBlank()) {
        return textOf(record);
      }
    }
    return null;
  }

  private boolean readLine() throws IOException {
    text.setLength(0);
    line++;
    int c = in.read();
    boolean any = c != TextReader.END;
    for (; c != TextReader.END && c != '\n'; c = in.read()) {
      if (text.length() == maxRecordChars) {
        throw fault("the record is longer than " + maxRecordChars + " characters");
      }
      text.append((char) c);
    }
    return any;
  }

  private String textOf(String record) throws IOException {
    try (JsonParser parser = JSON.createParser(record)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw fault("not a JSON object");
      }
      String found = null;
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        boolean wanted = parser.currentName().equals(field);
        JsonToken value = parser.nextToken();
        if (!wanted) {
          parser.skipChildren();
        } else if (value != JsonToken.VALUE_STRING) {
          throw fault("the field \"" + field + "\" is not a string");
        } else {
          found = parser.getText();
        }
      }
      if (parser.nextToken() != null) {
        throw fault("more than one JSON value in a line");
      }
      if (found == null) {
        throw fault("no field \"" + field + "\"; name the text field");
      }
      int unpaired = Surrogates.indexOfUnpaired(found);
      if (unpaired >= 0) {
        throw fault("unpaired surrogate at character " + unpaired + " of \"" + field + "\"");
      }
      return found;
    } catch (JsonProcessingException e) {
      MalformedTextException fault = fault("malformed JSON: " + e.getOriginalMessage());
      fault.initCause(e);
      throw fault;
    }
  }

  private MalformedTextException fault(String what) {
    return MalformedTextException.atLine(file, line, what);
  }
}
