package dev.spatz.tokenizer;

import static dev.spatz.tokenizer.CharacterTokenizerTest.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchEncoderTest {
  private final Random random = new Random(5);
  private final List<String> texts =
      IntStream.range(0, 300).mapToObj(i -> RandomText.of(random, i % 50)).toList();
  private final BytePairTokenizer tokenizer = BytePairTokenizer.learn(texts, 1_000);

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 1_000})
  void encodeBatch_onAnyNumberOfThreads_givesTheIdsOfEachText(int threads) {
    List<int[]> ids = tokenizer.encodeBatch(texts, threads);
    assertEquals(texts.size(), ids.size());
    for (int i = 0; i < texts.size(); i++) {
      assertArrayEquals(tokenizer.encode(texts.get(i)), ids.get(i));
    }
  }

  @Test
  void encodeBatch_noTexts_isEmpty() {
    assertEquals(List.of(), tokenizer.encodeBatch(List.of()));
  }

  @Test
  void encodeBatch_refusedTexts_reportsTheFirst() {
    List<String> bad = new ArrayList<>(texts);
    bad.set(200, "ab\uD83D");
    bad.set(250, "abcd\uD83D");
    for (int i = 0; i < 20; i++) {
      assertRefused("index 2", () -> tokenizer.encodeBatch(bad, 3));
    }
    assertRefused("threads (0)", () -> tokenizer.encodeBatch(texts, 0));
  }
}
