package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files are made by hand from the format's description; each of its rules has a broken one. */
class SafetensorsTest {
  private static final String F32 = "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":%s}";

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = directory.resolve("x.safetensors");
  }

  // ---- values ----

  @Test
  void values_ofEachType_areRead() throws IOException {
    ByteBuffer data = ByteBuffer.allocate(44).order(ByteOrder.LITTLE_ENDIAN);
    data.putDouble(0.1).putFloat(-1.5f).putFloat(Float.NaN);
    data.putShort((short) 0x3F80).putShort((short) 0xC049); // bfloat16: upper half of float32
    // Half precision, from the table of examples in IEEE 754: 1, −2, the largest, the smallest
    // normal and subnormal, −0, −∞, 1/3, and a NaN.
    for (int half : new int[] {0x3C00, 0xC000, 0x7BFF, 0x0400, 1, 0x8000, 0xFC00, 0x3555, 0x7E01}) {
      data.putShort((short) half);
    }
    Examples.safetensors(
        file,
        "{\"__metadata__\":{\"format\":\"pt\"},"
            + "\"d\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
            + "\"f\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
            + "\"b\":{\"dtype\":\"BF16\",\"shape\":[1,2],\"data_offsets\":[16,20]},"
            + "\"h\":{\"dtype\":\"F16\",\"shape\":[9],\"data_offsets\":[20,38]},"
            + "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[38,38]},"
            + "\"mask\":{\"dtype\":\"BOOL\",\"shape\":[6],\"data_offsets\":[38,44]}}   ",
        data.array());
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      assertEquals(Map.of("format", "pt"), tensors.metadata());
      assertEquals("[d, f, b, h, empty, mask]", tensors.names().toString());
      assertArrayEquals(new double[] {0.1}, Examples.values(tensors, "d"));
      assertArrayEquals(new double[] {-1.5, Double.NaN}, Examples.values(tensors, "f"));
      assertArrayEquals(new double[] {1, -3.140625}, Examples.values(tensors, "b"));
      assertArrayEquals(
          new double[] {
            1,
            -2,
            65504,
            0x1p-14,
            0x1p-24,
            -0.0,
            Double.NEGATIVE_INFINITY,
            0.333251953125,
            Double.NaN
          },
          Examples.values(tensors, "h"));
      assertArrayEquals(new double[0], Examples.values(tensors, "empty"));
      assertThrows(IllegalArgumentException.class, () -> Examples.values(tensors, "mask"));
    }
  }

  @Test
  void elements_outsideTheTensor_areRefused() throws IOException {
    Examples.safetensors(file, "{" + F32.formatted("a", "[2]", "[0,8]") + "}", new byte[8]);
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      TensorInfo a = Objects.requireNonNull(tensors.find("a"));
      double[] into = new double[3];
      assertThrows(IllegalArgumentException.class, () -> tensors.read(a, 0, into, 0, 3));
      assertThrows(IllegalArgumentException.class, () -> tensors.read(a, -1, into, 0, 1));
      assertThrows(IllegalArgumentException.class, () -> tensors.read(a, 2, into, 0, 1));
    }
  }

  @Test
  void file_beyondTwoGibibytes_isRead() throws IOException {
    long large = 3L << 30;
    String header =
        "{%s,%s}"
            .formatted(
                F32.formatted("large", "[" + large / 4 + "]", "[0," + large + "]"),
                F32.formatted("last", "[2]", "[" + large + "," + (large + 8) + "]"));
    Examples.safetensors(file, header);
    long start = Files.size(file);
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(start + large + 8);
    }
    ByteBuffer values = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    values.putFloat(5).putFloat(7).flip();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(values, start + large);
    }
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      assertArrayEquals(new double[] {5, 7}, Examples.values(tensors, "last"));
      double[] end = {1};
      tensors.read(Objects.requireNonNull(tensors.find("large")), large / 4 - 1, end, 0, 1);
      assertArrayEquals(new double[] {0}, end);
    }
  }

  @Test
  void file_truncatedAfterOpening_isRefused() throws IOException {
    Examples.safetensors(file, "{" + F32.formatted("a", "[2]", "[0,8]") + "}", new byte[8]);
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(Files.size(file) - 1);
      }
      assertThrows(InvalidFileException.class, () -> Examples.values(tensors, "a"));
    }
  }

  // ---- rules of the format ----

  @Test
  void file_shorterThanTheLength_isRefused() throws IOException {
    Files.write(file, new byte[7]);
    assertRefused("the file has 7 bytes");
  }

  @Test
  void file_thatIsAPointerOfGitLfs_isRefused() throws IOException {
    Files.writeString(file, "version https://git-lfs.github.com/spec/v1\nsize 12\n");
    assertRefused("a pointer of Git LFS");
  }

  @ParameterizedTest
  @CsvSource({"100000001,100000001", "-1,18446744073709551615"})
  void header_tooLong_isRefused(long length, String shown) throws IOException {
    Examples.safetensors(file, length, new byte[9]);
    assertRefused("the header has " + shown + " bytes");
  }

  @Test
  void header_longerThanTheFile_isRefused() throws IOException {
    Examples.safetensors(file, 3, "{}".getBytes(StandardCharsets.UTF_8));
    assertRefused("the header would end at byte 11, but the file has 10");
  }

  @Test
  void header_notUtf8_isRefused() throws IOException {
    byte[] overlong = {'{', '"', (byte) 0xC0, (byte) 0x80, '"', ':', '0', '}'};
    Examples.safetensors(file, overlong.length, overlong);
    assertRefused("the header is not UTF-8");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '§',
      delimiter = '|',
      value = {
        "' {}'|does not begin with '{'",
        "''|does not begin with '{'",
        "'[]'|does not begin with '{'",
        "'{'|is not valid",
        "'{}x'|is not valid",
        "'{}{}'|is not valid",
        "'{\"a\":1}'|an object at a",
        "'{\"__metadata__\":{\"a\":1}}'|a string at __metadata__.a",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,0]}}'|negative number -1",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,0]}}'|whole numbers",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,0]}}'|range",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,0]}}'|an array at a.shape",
        "'{\"a\":{\"dtype\":\"F33\",\"shape\":[],\"data_offsets\":[0,0]}}'|unknown dtype F33",
        "'{\"a\":{\"dtype\":32,\"shape\":[],\"data_offsets\":[0,0]}}'|a string at a.dtype",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}'|lacks its dtype",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0]}}'|lacks its dtype",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,0],\"x\":1}}'|unknown field x",
        "'{\"__metadata__\":{},\"__metadata__\":{}}'|Duplicate field '__metadata__'",
        "'{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}'|Duplicate field 'a'",
      })
  void header_notAsTheFormatSays_isRefused(String quoted, String fault) throws IOException {
    Examples.safetensors(file, quoted.substring(1, quoted.length() - 1));
    assertRefused(fault);
  }

  @Test
  void tensors_ofOneName_areRefused() throws IOException {
    String a = F32.formatted("a", "[0]", "[0,0]");
    Examples.safetensors(file, "{" + a + "," + a + "}");
    assertRefused("Duplicate field 'a'");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[1]|[4,8]|[1]|[8,12]|tensor a has data_offsets [4, 8], but must begin at 0",
        "[1]|[0,4]|[1]|[5,9]|tensor b has data_offsets [5, 9], but must begin at 4",
        "[1]|[0,4]|[1]|[0,4]|tensor b has data_offsets [0, 4], but must begin at 4",
        "[1]|[0,4]|[1]|[4,3]|tensor b has data_offsets [4, 3]",
        "[1]|[0,4]|[2]|[4,8]|tensor b of type F32 and shape [2] needs 8 bytes, but has 4",
        "[4611686018427387904,4]|[0,4]|[1]|[4,8]|tensor a has shape",
        "[576460752303423488]|[0,4]|[1]|[4,8]|tensor a has shape",
        "[1]|[0,4]|[1]|[4,8]|the tensors have 8 bytes, but 12 follow the header",
        "[2]|[0,8]|[2]|[8,16]|the tensors have 16 bytes, but 12 follow the header"
      })
  void tensors_notFillingTheFile_areRefused(
      String shapeA, String offsetsA, String shapeB, String offsetsB, String fault)
      throws IOException {
    String header =
        "{%s,%s}"
            .formatted(F32.formatted("a", shapeA, offsetsA), F32.formatted("b", shapeB, offsetsB));
    Examples.safetensors(file, header, new byte[12]);
    assertRefused(fault);
  }

  @Test
  void tensor_endingWithinAByte_isRefused() throws IOException {
    Examples.safetensors(
        file, "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", new byte[1]);
    assertRefused("tensor a of type F4 and shape [3] does not fill whole bytes");
  }

  // ---- writing ----

  @Test
  void file_written_isTheFormatsOwnForm() throws IOException {
    SafetensorsWriter.write(
        file,
        Map.of("format", "pt"),
        List.of(
            tensor("b", TensorType.F32, List.of(1L), 1),
            tensor("a", TensorType.F32, List.of(2L, 1L), 2, 3),
            tensor("c", TensorType.F64, List.of(), 4)));
    String header =
        "{\"__metadata__\":{\"format\":\"pt\"},"
            + "\"c\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[8,16]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]}}";
    header += " ".repeat((8 - header.length() % 8) % 8);
    ByteBuffer data = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
    data.putDouble(4).putFloat(2).putFloat(3).putFloat(1);
    Path expected = Examples.safetensors(directory.resolve("expected"), header, data.array());
    assertArrayEquals(Files.readAllBytes(expected), Files.readAllBytes(file));
  }

  @Test
  void values_moreThanABuffer_roundTrip() throws IOException {
    double[] values = new double[200_001];
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.sin(i);
    }
    SafetensorsWriter.write(
        file,
        Map.of(),
        List.of(
            tensor("first", TensorType.F32, List.of(1L), 1),
            tensor("all", TensorType.F64, List.of((long) values.length), values)));
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      assertArrayEquals(values, Examples.values(tensors, "all"));
    }
  }

  @Test
  void values_notAsManyAsTheShape_areRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            SafetensorsWriter.write(
                file, Map.of(), List.of(tensor("a", TensorType.F32, List.of(2L), 1))));
  }

  @Test
  void tensors_writtenTwice_areRefused() {
    SafetensorsWriter.Tensor a = tensor("a", TensorType.F32, List.of(1L), 1);
    assertThrows(
        IllegalArgumentException.class,
        () -> SafetensorsWriter.write(file, Map.of(), List.of(a, a)));
  }

  @Test
  void file_thatExists_isNotOverwritten() throws IOException {
    Files.writeString(file, "precious");
    assertThrows(
        FileAlreadyExistsException.class, () -> SafetensorsWriter.write(file, Map.of(), List.of()));
    assertEquals("precious", Files.readString(file));
  }

  private static SafetensorsWriter.Tensor tensor(
      String name, TensorType type, List<Long> shape, double... values) {
    return new SafetensorsWriter.Tensor(
        TensorInfo.of(name, type, shape), writer -> writer.write(values, 0, values.length));
  }

  private void assertRefused(String fault) {
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> SafetensorsFile.open(file).close());
    assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
    assertTrue(e.fault().contains(fault), e.fault());
    assertEquals(file, e.path());
  }
}
