package dev.spatz.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StreamingDecoderTest {
  /** Bytes in which UTF-8 decoders differ, if at all: ends of ranges, and unfinished sequences. */
  private static final int[] BYTES = {
    0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED,
    0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF
  };

  private static final BytePairTokenizer TOKENIZER =
      BytePairTokenizer.learn(List.of("😀😁😀😁 äöü äöü €€€ 漢字漢字 zzz zzz"), 320);

  @Test
  void accept_idsOfText_neverEmitsHalfACharacter() {
    Random random = new Random(4);
    for (int i = 0; i < 300; i++) {
      String text = RandomText.of(random, 30);
      assertEquals(text, stream(TOKENIZER, TOKENIZER.encode(text)));
    }
  }

  @Test
  void accept_anyIds_givesTogetherWhatDecodeGives() {
    Random random = new Random(5);
    for (int i = 0; i < 20_000; i++) {
      int[] ids = random.ints(8, 0, TOKENIZER.vocabularySize()).toArray();
      assertEquals(TOKENIZER.decode(ids), stream(TOKENIZER, ids));
    }
  }

  @Test
  void accept_anyBytes_replacesAsManyAsString() {
    Random random = new Random(6);
    for (int i = 0; i < 100_000; i++) {
      byte[] bytes = new byte[random.nextInt(7)];
      for (int j = 0; j < bytes.length; j++) {
        bytes[j] = (byte) BYTES[random.nextInt(BYTES.length)];
      }
      int[] ids = byteIds(bytes);
      String expected = new String(bytes, StandardCharsets.UTF_8);
      assertEquals(expected, TOKENIZER.decode(ids));
      assertEquals(expected, stream(TOKENIZER, ids));
    }
  }

  @Test
  void accept_characterInPieces_isHeldBackUntilComplete() {
    StreamingDecoder decoder = TOKENIZER.streamingDecoder();
    int[] ids = byteIds("a𝒳".getBytes(StandardCharsets.UTF_8));
    assertEquals("a", decoder.accept(ids[0]));
    assertEquals("", decoder.accept(ids[1]));
    assertEquals("", decoder.accept(ids[2]));
    assertEquals("", decoder.accept(TOKENIZER.endOfText()));
    assertEquals("", decoder.accept(ids[3]));
    assertEquals("𝒳", decoder.accept(ids[4]));
    assertEquals("", decoder.flush());
  }

  @Test
  void flush_insideACharacter_givesOneReplacementAndStartsAnew() {
    StreamingDecoder decoder = TOKENIZER.streamingDecoder();
    int[] ids = byteIds("€".getBytes(StandardCharsets.UTF_8));
    assertEquals("", decoder.accept(ids[0]) + decoder.accept(ids[1]));
    assertEquals("\uFFFD", decoder.flush());
    assertEquals("", decoder.flush());
    assertEquals("€", decoder.accept(ids[0]) + decoder.accept(ids[1]) + decoder.accept(ids[2]));
  }

  @Test
  void accept_longToken_hasRoom() {
    String word = "z".repeat(1_000);
    BytePairTokenizer tokenizer = BytePairTokenizer.learn(List.of(word, word), 400);
    int[] euro = byteIds(tokenizer, "€".getBytes(StandardCharsets.UTF_8));
    int[] ids =
        IntStream.concat(IntStream.of(euro[0], euro[1]), IntStream.of(tokenizer.encode(word)))
            .toArray();
    assertEquals("\uFFFD" + word, stream(tokenizer, ids));
  }

  @Test
  void accept_charactersOfACharacterTokenizer_areGivenAtOnce() {
    StreamingDecoder decoder = CharacterTokenizer.of('a', 0x1F600).streamingDecoder();
    assertEquals("😀", decoder.accept(1));
    assertEquals("a", decoder.accept(0));
    assertEquals("", decoder.accept(2));
  }

  @Test
  void accept_idOutsideTheVocabulary_isRefusedAndLeavesTheDecoderAsItWas() {
    StreamingDecoder decoder = TOKENIZER.streamingDecoder();
    int[] ids = byteIds("ä".getBytes(StandardCharsets.UTF_8));
    decoder.accept(ids[0]);
    assertThrows(IllegalArgumentException.class, () -> decoder.accept(TOKENIZER.vocabularySize()));
    assertEquals("ä", decoder.accept(ids[1]));
  }

  private static String stream(Tokenizer tokenizer, int[] ids) {
    StreamingDecoder decoder = tokenizer.streamingDecoder();
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      String piece = decoder.accept(id);
      if (!piece.isEmpty()) {
        assertFalse(Character.isLowSurrogate(piece.charAt(0)));
        assertFalse(Character.isHighSurrogate(piece.charAt(piece.length() - 1)));
      }
      text.append(piece);
    }
    return text.append(decoder.flush()).toString();
  }

  private static int[] byteIds(byte... bytes) {
    return byteIds(TOKENIZER, bytes);
  }

  private static int[] byteIds(BytePairTokenizer tokenizer, byte... bytes) {
    int[] ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) {
      int b = bytes[i];
      ids[i] =
          IntStream.range(0, tokenizer.vocabularySize())
              .filter(id -> tokenizer.tokenBytes(id).length == 1)
              .filter(id -> tokenizer.tokenBytes(id)[0] == b)
              .findFirst()
              .orElseThrow();
    }
    return ids;
  }
}
