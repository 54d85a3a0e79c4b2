package dev.spatz.dataset;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads the records of a JSON file: a {@code .jsonl} file has one a line, any other an array of
 * them.
 */
final class RecordFile<T> {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** For what another element may follow. */
  private static final ObjectReader ELEMENTS =
      JSON.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final Path file;
  private final Shape<T> shape;
  private final @Nullable RecordFaults faults;

  /** What a record has to be. */
  interface Shape<T> {
    /**
     * Understands a record.
     *
     * @param place where it stands, for messages to people
     * @throws IllegalArgumentException if it is faulty
     */
    T read(JsonNode record, String place);
  }

  /** {@code faults} hears of records that are left out; null refuses them. */
  RecordFile(Path file, Shape<T> shape, @Nullable RecordFaults faults) {
    this.file = file;
    this.shape = shape;
    this.faults = faults;
  }

  /** Adds all of them. */
  void read(List<T> into) throws IOException {
    if (file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".jsonl")) {
      readLines(into);
    } else {
      readArray(into);
    }
  }

  private void readLines(List<T> into) throws IOException {
    try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      long number = 1;
      for (String line = lines.readLine(); line != null; line = lines.readLine(), number++) {
        if (!line.isBlank()) {
          try {
            add(JSON.readTree(line), number, into);
          } catch (JsonProcessingException e) {
            fault(number, "malformed JSON: " + e.getOriginalMessage());
          }
        }
      }
    } catch (CharacterCodingException e) {
      throw new IOException(file + ": not UTF-8", e);
    }
  }

  private void readArray(List<T> into) throws IOException {
    try (BufferedReader text = Files.newBufferedReader(file, StandardCharsets.UTF_8);
        JsonParser parser = JSON.createParser(text)) {
      if (parser.nextToken() != JsonToken.START_ARRAY) {
        throw MalformedTextException.atLine(
            file, 1, "not a JSON array; a file with one record a line is called .jsonl");
      }
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        long line = parser.currentTokenLocation().getLineNr();
        add(ELEMENTS.readTree(parser), line, into);
      }
    } catch (JsonProcessingException e) {
      long line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw MalformedTextException.atLine(file, line, "malformed JSON: " + e.getOriginalMessage());
    } catch (CharacterCodingException e) {
      throw new IOException(file + ": not UTF-8", e);
    }
  }

  private void add(JsonNode record, long line, List<T> into) throws IOException {
    try {
      into.add(shape.read(record, file + ", line " + line));
    } catch (IllegalArgumentException e) {
      String prefix = file + ", line " + line + ": ";
      String message = String.valueOf(e.getMessage());
      fault(line, message.startsWith(prefix) ? message.substring(prefix.length()) : message);
    }
  }

  private void fault(long line, String what) throws IOException {
    MalformedTextException fault = MalformedTextException.atLine(file, line, what);
    if (faults == null) {
      throw fault;
    }
    faults.leftOut(fault.getMessage());
  }
}
