package dev.spatz.checkpoint;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The header of a safetensors file: a JSON object that says which tensors there are, and where.
 *
 * <p>Reading is strict: the tensors lie without holes or overlap from the header's end to the
 * file's, so that each byte belongs to exactly one, and no name occurs twice.
 *
 * @param metadata free texts by name
 * @param tensors in the order of their places in the file
 * @see <a href="https://github.com/huggingface/safetensors#format">The format</a>
 */
record SafetensorsHeader(Map<String, String> metadata, List<TensorInfo> tensors) {
  /** The longest header that the format allows. */
  static final long MAXIMUM_LENGTH = 100_000_000;

  private static final String METADATA = "__metadata__";
  private static final int ALIGNMENT = 8;

  SafetensorsHeader {
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    tensors = List.copyOf(tensors);
  }

  /**
   * Reads a header.
   *
   * @param path the file, for messages
   * @param header the bytes of the header, without the eight before it
   * @param dataBytes how many bytes of the file follow the header
   */
  static SafetensorsHeader parse(Path path, byte[] header, long dataBytes)
      throws InvalidFileException {
    if (header.length == 0 || header[0] != '{') {
      throw new InvalidFileException(path, "the header does not begin with '{'");
    }
    // Java's decoder reports what is no UTF-8 only where it is not given a charset but a decoder.
    try (InputStreamReader reader =
            new InputStreamReader(
                new ByteArrayInputStream(header), StandardCharsets.UTF_8.newDecoder());
        JsonParser parser = JsonObject.FACTORY.createParser(reader)) {
      return new Reading(path, parser).header().checked(path, dataBytes);
    } catch (CharacterCodingException e) {
      throw new InvalidFileException(path, "the header is not UTF-8", e);
    } catch (JsonProcessingException e) {
      throw new InvalidFileException(path, "the header is not valid: " + JsonObject.message(e), e);
    } catch (InvalidFileException e) {
      throw e;
    } catch (IOException e) {
      throw new IllegalStateException("reading from memory failed", e);
    }
  }

  /** The header for these tensors, their places chosen: by falling type, then by name. */
  static SafetensorsHeader arrange(Map<String, String> metadata, List<TensorInfo> tensors) {
    List<TensorInfo> sorted = new ArrayList<>(tensors);
    sorted.sort(Comparator.comparing(TensorInfo::type).reversed().thenComparing(TensorInfo::name));
    long offset = 0;
    for (int i = 0; i < sorted.size(); i++) {
      sorted.set(i, sorted.get(i).at(offset));
      offset = sorted.get(i).end();
    }
    return new SafetensorsHeader(metadata, sorted);
  }

  /** Its bytes, padded by spaces to a multiple of eight, without the eight before it. */
  byte[] bytes() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JsonObject.FACTORY.createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      for (TensorInfo tensor : tensors) {
        json.writeObjectFieldStart(tensor.name());
        json.writeStringField("dtype", tensor.type().name());
        long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
        json.writeFieldName("shape");
        json.writeArray(shape, 0, shape.length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {tensor.begin(), tensor.end()}, 0, 2);
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    while (bytes.size() % ALIGNMENT != 0) {
      bytes.write(' ');
    }
    return bytes.toByteArray();
  }

  private SafetensorsHeader checked(Path path, long dataBytes) throws InvalidFileException {
    List<TensorInfo> sorted = new ArrayList<>(tensors);
    sorted.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
    long end = 0;
    for (TensorInfo tensor : sorted) {
      if (tensor.end() < tensor.begin() || tensor.begin() != end) {
        throw fault(
            path,
            tensor,
            "has data_offsets [%d, %d], but must begin at %d, where the one before it ends, and"
                + " not end before that",
            tensor.begin(),
            tensor.end(),
            end);
      }
      end = tensor.end();
      checkSize(path, tensor);
    }
    if (end != dataBytes) {
      throw new InvalidFileException(
          path,
          String.format(
              Locale.ROOT,
              "the tensors have %d bytes, but %d follow the header%s",
              end,
              dataBytes,
              dataBytes < end ? "; the file was cut off" : ""));
    }
    return new SafetensorsHeader(metadata, sorted);
  }

  private static void checkSize(Path path, TensorInfo tensor) throws InvalidFileException {
    long bits;
    try {
      bits = tensor.bits();
    } catch (ArithmeticException e) {
      throw fault(path, tensor, "has shape %s, too large for any file", tensor.shape());
    }
    if (bits % Byte.SIZE != 0) {
      throw fault(
          path,
          tensor,
          "of type %s and shape %s does not fill whole bytes",
          tensor.type(),
          tensor.shape());
    }
    if (tensor.end() - tensor.begin() != tensor.bytes()) {
      throw fault(
          path,
          tensor,
          "of type %s and shape %s needs %d bytes, but has %d",
          tensor.type(),
          tensor.shape(),
          tensor.bytes(),
          tensor.end() - tensor.begin());
    }
  }

  private static InvalidFileException fault(
      Path path, TensorInfo tensor, String fault, Object... arguments) {
    return new InvalidFileException(
        path, "tensor " + tensor.name() + " " + String.format(Locale.ROOT, fault, arguments));
  }

  /** The syntax of a header. */
  private record Reading(Path path, JsonParser parser) {
    SafetensorsHeader header() throws IOException {
      Map<String, String> metadata = new LinkedHashMap<>();
      List<TensorInfo> tensors = new ArrayList<>();
      expect(parser.nextToken(), JsonToken.START_OBJECT, "an object");
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        expect(parser.nextToken(), JsonToken.START_OBJECT, "an object at " + name);
        if (name.equals(METADATA)) {
          readMetadata(metadata);
        } else {
          tensors.add(tensor(name));
        }
      }
      if (parser.nextToken() != null) {
        throw invalid("something follows the object");
      }
      return new SafetensorsHeader(metadata, tensors);
    }

    private void readMetadata(Map<String, String> metadata) throws IOException {
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        expect(parser.nextToken(), JsonToken.VALUE_STRING, "a string at " + METADATA + "." + key);
        metadata.put(key, parser.getText());
      }
    }

    private TensorInfo tensor(String name) throws IOException {
      @Nullable TensorType type = null;
      @Nullable List<Long> shape = null;
      @Nullable List<Long> offsets = null;
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "dtype" -> type = type(name);
          case "shape" -> shape = numbers(name + ".shape");
          case "data_offsets" -> offsets = numbers(name + ".data_offsets");
          default -> throw invalid("tensor " + name + " has an unknown field " + key);
        }
      }
      if (type == null || shape == null || offsets == null || offsets.size() != 2) {
        throw invalid("tensor " + name + " lacks its dtype, its shape or its two data_offsets");
      }
      return new TensorInfo(name, type, shape, offsets.get(0), offsets.get(1));
    }

    private TensorType type(String name) throws IOException {
      expect(parser.currentToken(), JsonToken.VALUE_STRING, "a string at " + name + ".dtype");
      try {
        return TensorType.valueOf(parser.getText());
      } catch (IllegalArgumentException e) {
        throw invalid("tensor " + name + " has the unknown dtype " + parser.getText());
      }
    }

    private List<Long> numbers(String place) throws IOException {
      expect(parser.currentToken(), JsonToken.START_ARRAY, "an array at " + place);
      List<Long> numbers = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        expect(parser.currentToken(), JsonToken.VALUE_NUMBER_INT, "whole numbers at " + place);
        long number = parser.getLongValue();
        if (number < 0) {
          throw invalid(place + " has the negative number " + number);
        }
        numbers.add(number);
      }
      return numbers;
    }

    private void expect(@Nullable JsonToken token, JsonToken expected, String what)
        throws InvalidFileException {
      if (token != expected) {
        throw invalid("there must be " + what);
      }
    }

    private InvalidFileException invalid(String fault) {
      return new InvalidFileException(path, "the header is not valid: " + fault);
    }
  }
}
