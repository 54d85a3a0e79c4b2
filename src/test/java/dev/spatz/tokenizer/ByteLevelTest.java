package dev.spatz.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.spatz.SharedData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ByteLevelTest {
  @Test
  void toCharacters_allBytes_comeBack() {
    byte[] all = new byte[256];
    for (int b = 0; b < 256; b++) {
      all[b] = (byte) b;
    }
    String characters = ByteLevel.toCharacters(all);
    assertEquals(256, characters.chars().distinct().count());
    assertArrayEquals(all, ByteLevel.toBytes(characters));
  }

  @Test
  void toCharacters_knownBytes_areSpelledAsInGpt2() {
    assertEquals("Ġhi!Ċ", ByteLevel.toCharacters(" hi!\n".getBytes(StandardCharsets.UTF_8)));
    assertEquals("Ã¼", ByteLevel.toCharacters("ü".getBytes(StandardCharsets.UTF_8)));
    assertEquals("\u0143", ByteLevel.toCharacters((byte) 0xAD));
  }

  @Test
  void toBytes_characterOutsideTheAlphabet_isRefusedWithItsPlace() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ByteLevel.toBytes("a b")).getMessage();
    assertTrue(message.contains("U+0020 at index 1"), message);
    assertThrows(IllegalArgumentException.class, () -> ByteLevel.toBytes("€"));
  }

  @Test
  void alphabet_isTheOrderOfGpt2sFirst256Tokens() throws IOException {
    var encoder = new ObjectMapper().readTree(SharedData.path("gpt2/encoder.json").toFile());
    byte[] alphabet = ByteLevel.alphabet();
    for (int id = 0; id < 256; id++) {
      assertEquals(id, encoder.get(ByteLevel.toCharacters(alphabet[id])).intValue());
    }
  }
}
