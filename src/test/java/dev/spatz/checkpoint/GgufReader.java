package dev.spatz.checkpoint;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a GGUF file with no code of its writer, and refuses one that breaks a rule of the format.
 */
final class GgufReader {
  private static final int ARRAY = 9;

  /** Code of a type → elements of a block, bytes of a block. */
  private static final Map<Integer, int[]> TYPES =
      Map.of(0, new int[] {1, 4}, 1, new int[] {1, 2}, 8, new int[] {32, 34});

  final Map<String, Object> metadata = new LinkedHashMap<>();
  final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final ByteBuffer file;
  private int data;

  /** A tensor; its dimensions are as in the file, the fastest first. */
  record Tensor(List<Long> dimensions, int type, long offset) {
    long elements() {
      return dimensions.stream().reduce(1L, Math::multiplyExact);
    }

    long bytes() {
      int[] block = TYPES.get(type);
      return elements() / block[0] * block[1];
    }
  }

  private GgufReader(byte[] bytes) {
    file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  static GgufReader read(Path path) throws IOException {
    return read(Files.readAllBytes(path));
  }

  static GgufReader read(byte[] bytes) throws IOException {
    GgufReader reader = new GgufReader(bytes);
    try {
      reader.readAll();
    } catch (BufferUnderflowException | ArithmeticException e) {
      throw new IOException("truncated or overflowing", e);
    }
    return reader;
  }

  private void readAll() throws IOException {
    require(file.getInt() == 0x46554747, "magic");
    require(file.getInt() == 3, "version");
    long tensorCount = count(file.getLong(), 24);
    long keyCount = count(file.getLong(), 13);
    for (long i = 0; i < keyCount; i++) {
      String key = string();
      require(key.matches("[\\x21-\\x7E]{1,65535}"), "key " + key);
      require(metadata.put(key, value(file.getInt())) == null, "key twice: " + key);
    }
    for (long i = 0; i < tensorCount; i++) {
      String name = string();
      require(name.getBytes(StandardCharsets.UTF_8).length <= 64, "name " + name);
      require(tensors.put(name, tensor()) == null, "tensor twice: " + name);
    }
    requireData();
  }

  private Tensor tensor() throws IOException {
    int rank = file.getInt();
    require(rank >= 1 && rank <= 4, "rank " + rank);
    List<Long> dimensions = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      long dimension = file.getLong();
      require(dimension > 0, "dimension " + dimension);
      dimensions.add(dimension);
    }
    Tensor tensor = new Tensor(dimensions, file.getInt(), file.getLong());
    int[] block = TYPES.get(tensor.type());
    require(block != null, "type " + tensor.type());
    require(dimensions.get(0) % block[0] == 0, "rows are not whole blocks");
    require(tensor.elements() <= Integer.MAX_VALUE, "elements");
    return tensor;
  }

  /** The data begin at a multiple of the alignment; tensors follow each other, padded to it. */
  private void requireData() throws IOException {
    Object given = metadata.getOrDefault("general.alignment", 32);
    require(given instanceof Integer, "alignment is no u32");
    int alignment = (Integer) given;
    require(alignment > 0 && alignment % 8 == 0, "alignment " + alignment);
    int end = file.position();
    data = align(end, alignment);
    requireZeros(end, data);
    long next = 0;
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      Tensor tensor = entry.getValue();
      require(tensor.offset() % alignment == 0, "offset of " + entry.getKey());
      require(tensor.offset() == next, "hole or overlap before " + entry.getKey());
      long last = data + tensor.offset() + tensor.bytes();
      require(last <= file.limit(), "data of " + entry.getKey());
      next = align((int) last, alignment) - data;
      requireZeros((int) last, (int) (data + next));
    }
    require(data + next == file.limit(), "end of file");
    require(metadata.get("general.architecture") instanceof String, "general.architecture");
  }

  private static int align(int offset, int alignment) {
    return Math.addExact(offset, alignment - 1) / alignment * alignment;
  }

  private void requireZeros(int from, int to) throws IOException {
    require(to <= file.limit(), "padding");
    for (int i = from; i < to; i++) {
      require(file.get(i) == 0, "padding");
    }
  }

  private Object value(int type) throws IOException {
    return switch (type) {
      case 4, 5 -> file.getInt();
      case 6 -> file.getFloat();
      case 7 -> {
        byte flag = file.get();
        require(flag == 0 || flag == 1, "bool " + flag);
        yield flag == 1;
      }
      case 8 -> string();
      case ARRAY -> {
        int elementType = file.getInt();
        require(elementType != ARRAY, "array of arrays");
        long length = count(file.getLong(), 1);
        List<Object> values = new ArrayList<>();
        for (long i = 0; i < length; i++) {
          values.add(value(elementType));
        }
        yield values;
      }
      default -> throw new IOException("type " + type);
    };
  }

  private String string() throws IOException {
    byte[] bytes = new byte[(int) count(file.getLong(), 1)];
    file.get(bytes);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new IOException("no UTF-8", e);
    }
  }

  /** A count that the rest of the file can hold. */
  private long count(long count, int leastBytes) throws IOException {
    require(count >= 0 && count <= file.remaining() / leastBytes, "count " + count);
    return count;
  }

  private static void require(boolean rule, String fault) throws IOException {
    if (!rule) {
      throw new IOException(fault);
    }
  }

  /** The values of a tensor, in the order of the file. */
  double[] values(String name) {
    Tensor tensor = tensors.get(name);
    double[] values = new double[(int) tensor.elements()];
    ByteBuffer from = file.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    from.position((int) (data + tensor.offset()));
    double scale = 0;
    for (int i = 0; i < values.length; i++) {
      if (tensor.type() == 8 && i % 32 == 0) {
        scale = half(from.getShort());
      }
      values[i] =
          switch (tensor.type()) {
            case 0 -> from.getFloat();
            case 1 -> half(from.getShort());
            default -> scale * from.get();
          };
    }
    return values;
  }

  private static double half(short bits) {
    double[] value = new double[1];
    TensorType.F16.get(
        ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN).putShort(bits).flip(), value, 0, 1);
    return value[0];
  }
}
