package dev.spatz.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * A file of JSON objects, one a line, that only grows: {@code event} tells the kind of each. A
 * process that was killed leaves at most one torn line, which readers skip.
 */
final class MetricsFile implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final BufferedWriter writer;

  private MetricsFile(BufferedWriter writer) {
    this.writer = writer;
  }

  /** Opens a file for more lines; makes it and its directory where there is none. */
  static MetricsFile append(Path file) throws IOException {
    Path parent = file.toAbsolutePath().getParent();
    if (parent != null && !Files.isDirectory(parent)) {
      Files.createDirectories(parent);
    }
    boolean torn = !endsLine(file);
    MetricsFile metrics =
        new MetricsFile(
            Files.newBufferedWriter(
                file,
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND));
    if (torn) {
      metrics.writer.newLine();
    }
    return metrics;
  }

  private static boolean endsLine(Path file) throws IOException {
    if (!Files.exists(file) || Files.size(file) == 0) {
      return true;
    }
    try (var channel = Files.newByteChannel(file)) {
      channel.position(channel.size() - 1);
      var last = java.nio.ByteBuffer.allocate(1);
      return channel.read(last) < 1 || last.get(0) == '\n';
    }
  }

  /** An object for a line. */
  static ObjectNode line(String event) {
    return JSON.createObjectNode().put("event", event);
  }

  void write(ObjectNode line) throws IOException {
    writer.write(JSON.writeValueAsString(line));
    writer.write('\n');
  }

  void flush() throws IOException {
    writer.flush();
  }

  /** Reads the lines; those that are no JSON object are skipped. */
  static void read(Path file, Consumer<JsonNode> visitor) throws IOException {
    try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        JsonNode line = parse(text);
        if (line.isObject()) {
          visitor.accept(line);
        }
      }
    }
  }

  private static JsonNode parse(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException torn) {
      return JSON.missingNode();
    }
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}
