package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelCardTest {
  private static final String DIGEST = "0".repeat(64);

  @TempDir Path directory;

  @Test
  void card_saysWhatTheModelIsAndWhereItComesFrom() {
    String card = ModelCard.text(Examples.llama(), Examples.CHARACTERS, Examples.PROVENANCE);
    assertTrue(card.startsWith("---\nlibrary_name: spatz\npipeline_tag: text-generation\n"), card);
    for (String line :
        List.of(
            "It can state falsehoods",
            "label its text as machine-made",
            "| Architecture | llama |",
            "| Vocabulary | 9 tokens (characters) |",
            "| Training data | 1,115,394 bytes, SHA-256 `0123456789abcdef",
            "| Training loss | 1.2500 nats per token |",
            "| Validation loss | 1.5000 nats per token |",
            "| Validation loss | not measured |",
            "| Seed | 42 |",
            "| Library | spatz 0.1.0 |",
            "| Date | 2026-01-31T12:00:00Z |",
            "| steps | 2000 |")) {
      assertTrue(card.contains(line), card);
    }
  }

  @Test
  void card_withoutProvenance_saysSo() {
    assertTrue(
        ModelCard.text(Examples.gpt2(), Examples.BYTE_PAIRS, null).contains("Not recorded."));
  }

  @Test
  void settings_cannotBreakTheTable() {
    Provenance provenance = provenance(DIGEST, 1, Map.of("a|b", "1\n# 2"), null);
    assertTrue(
        ModelCard.text(Examples.gpt2(), Examples.CHARACTERS, provenance)
            .contains("| a\\|b | 1 # 2 |\n"));
  }

  // ---- provenance ----

  @Test
  void provenance_writtenAndRead_isEqual() throws IOException {
    Provenance provenance = provenance(DIGEST, Long.MAX_VALUE, Map.of("x", "é\n\"|"), 1e-300);
    assertEquals(provenance, writeAndRead(provenance));
    provenance = provenance(DIGEST, 0, Map.of(), null);
    assertEquals(provenance, writeAndRead(provenance));
  }

  @Test
  void provenance_withWrongValues_isRefused() {
    Map<String, String> none = Map.of();
    assertThrows(IllegalArgumentException.class, () -> provenance("abc", 1, none, null));
    assertThrows(IllegalArgumentException.class, () -> provenance(DIGEST, -1, none, null));
    assertThrows(IllegalArgumentException.class, () -> provenance(DIGEST, 1, none, Double.NaN));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"seed\": 7|\"seed\": \"7\"|seed is \"7\"",
        "\"date\": \"2026|\"date\": \"x|date is \"x",
        "\"data_sha256\": \"0|\"data_sha256\": \"g|dataDigest (g00",
        "\"data_bytes\": 5|\"data_bytes\": 1e3|data_bytes is 1000.0",
        "\"training_loss\": null|\"training_loss\": \"\"|training_loss is \"\"",
        "\"x\": \"y\"|\"x\": 1|configuration.x is 1"
      })
  void provenance_brokenInTheFile_isRefused(String from, String to, String fault)
      throws IOException {
    ConfigFile.write(
        directory,
        Examples.gpt2(),
        Examples.CHARACTERS,
        provenance(DIGEST, 5, Map.of("x", "y"), null));
    Examples.edit(directory.resolve("config.json"), from, to);
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> ConfigFile.read(directory));
    assertTrue(e.fault().contains(fault), e.fault());
    assertTrue(Files.exists(e.path()));
  }

  private Provenance writeAndRead(Provenance provenance) throws IOException {
    ConfigFile.write(directory, Examples.gpt2(), Examples.CHARACTERS, provenance);
    Provenance read = ConfigFile.read(directory).provenance();
    assertTrue(read != null);
    return read;
  }

  private static Provenance provenance(
      String digest, long bytes, Map<String, String> configuration, @Nullable Double loss) {
    return new Provenance(
        digest,
        bytes,
        configuration,
        7,
        loss,
        null,
        2.5,
        "1",
        Instant.ofEpochSecond(1_780_000_000));
  }
}
