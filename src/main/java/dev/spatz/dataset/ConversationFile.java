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
import dev.spatz.tokenizer.Message;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads the conversations of a file, see {@link Conversations}. */
final class ConversationFile {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** For what another element may follow. */
  private static final ObjectReader ELEMENTS =
      JSON.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final Path file;
  private final Conversations.@Nullable Faults faults;

  /** {@code faults} hears of records that are left out; null refuses them. */
  ConversationFile(Path file, Conversations.@Nullable Faults faults) {
    this.file = file;
    this.faults = faults;
  }

  /** Adds all of them. */
  void read(List<Conversation> into) throws IOException {
    if (file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".jsonl")) {
      readLines(into);
    } else {
      readArray(into);
    }
  }

  private void readLines(List<Conversation> into) throws IOException {
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

  private void readArray(List<Conversation> into) throws IOException {
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

  private void add(JsonNode record, long line, List<Conversation> into) throws IOException {
    try {
      into.add(new Conversation(messages(record), file + ", line " + line));
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

  private static List<Message> messages(JsonNode record) {
    if (record.has("messages")) {
      List<Message> messages = new ArrayList<>();
      JsonNode turns = record.get("messages");
      require(turns.isArray(), "\"messages\" must be an array");
      for (JsonNode turn : turns) {
        messages.add(new Message(text(turn, "role"), text(turn, "content")));
      }
      return messages;
    }
    if (record.has("instruction")) {
      String input = record.hasNonNull("input") ? text(record, "input") : "";
      String instruction = text(record, "instruction");
      return List.of(
          Message.user(input.isBlank() ? instruction : instruction + "\n\n" + input),
          Message.assistant(text(record, "output")));
    }
    require(
        record.has("prompt"),
        "no \"messages\", no \"instruction\" and no \"prompt\" in the record");
    return List.of(
        Message.user(text(record, "prompt")), Message.assistant(text(record, "completion")));
  }

  private static String text(JsonNode record, String name) {
    JsonNode value = record.path(name);
    require(value.isTextual(), "\"" + name + "\" must be a string");
    return value.textValue();
  }

  private static void require(boolean condition, String fault) {
    if (!condition) {
      throw new IllegalArgumentException(fault);
    }
  }
}
