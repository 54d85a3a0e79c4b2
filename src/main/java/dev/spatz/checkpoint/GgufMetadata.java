package dev.spatz.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The keys and values at the beginning of a GGUF file, encoded as they are put. */
final class GgufMetadata {
  private static final int INT32 = 5;
  private static final int UINT32 = 4;
  private static final int FLOAT32 = 6;
  private static final int BOOL = 7;
  private static final int STRING = 8;
  private static final int ARRAY = 9;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final Set<String> keys = new HashSet<>();

  /** The number of keys. */
  int size() {
    return keys.size();
  }

  /** All keys and values as the file has them. */
  byte[] bytes() {
    return bytes.toByteArray();
  }

  void putString(String key, String value) {
    begin(key, STRING);
    string(value);
  }

  void putInteger(String key, int value) {
    begin(key, UINT32);
    int32(value);
  }

  void putNumber(String key, double value) {
    begin(key, FLOAT32);
    int32(Float.floatToIntBits((float) value));
  }

  void putFlag(String key, boolean value) {
    begin(key, BOOL);
    bytes.write(value ? 1 : 0);
  }

  void putStrings(String key, List<String> values) {
    begin(key, ARRAY);
    int32(STRING);
    int64(values.size());
    values.forEach(this::string);
  }

  void putIntegers(String key, int... values) {
    begin(key, ARRAY);
    int32(INT32);
    int64(values.length);
    for (int value : values) {
      int32(value);
    }
  }

  void putNumbers(String key, float... values) {
    begin(key, ARRAY);
    int32(FLOAT32);
    int64(values.length);
    for (float value : values) {
      int32(Float.floatToIntBits(value));
    }
  }

  private void begin(String key, int type) {
    if (!keys.add(key)) {
      throw new IllegalArgumentException("two values have the key " + key);
    }
    string(key);
    int32(type);
  }

  private void string(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    int64(utf8.length);
    bytes.writeBytes(utf8);
  }

  private void int32(int value) {
    bytes.writeBytes(little(Integer.BYTES).putInt(value).array());
  }

  private void int64(long value) {
    bytes.writeBytes(little(Long.BYTES).putLong(value).array());
  }

  private static ByteBuffer little(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
