package dev.spatz.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.Gelu;
import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.Biases;
import dev.spatz.transformer.TransformerConfig;
import org.junit.jupiter.api.Test;

class BenchmarkPresetTest {
  /** Counted by Python: V·C + T·C + L·(12·C² + 2·C) + C. */
  @Test
  void models_haveTheParametersOfTheirShapes() {
    assertEquals(804_096, parameters(BenchmarkPreset.CPU));
    assertEquals(10_745_088, parameters(BenchmarkPreset.BABY));
    assertEquals(123_747_840, parameters(BenchmarkPreset.GPT2));
  }

  private static long parameters(BenchmarkPreset preset) {
    return preset.workload().model().parameterCount();
  }

  @Test
  void models_areGpt2WithoutBiases() {
    for (BenchmarkPreset preset : BenchmarkPreset.values()) {
      TransformerConfig model = preset.workload().model();
      assertEquals(Architecture.GPT2, model.architecture());
      assertEquals(Gelu.EXACT, model.gelu());
      assertEquals(Biases.NONE, model.biases());
      assertTrue(model.tiedEmbeddings());
      assertEquals(0, model.dropout());
    }
  }

  @Test
  void steps_haveTheTokensOfTheirBatch() {
    assertEquals(12 * 64, BenchmarkPreset.CPU.workload().tokensPerStep());
    assertEquals(64 * 256, BenchmarkPreset.BABY.workload().tokensPerStep());
    assertEquals(4 * 256, BenchmarkPreset.GPT2.workload().tokensPerStep());
  }

  /** Counted by Python as nanoGPT's estimate_mfu does. */
  @Test
  void operations_areThoseOfNanoGpt() {
    assertEquals(5_168_640, BenchmarkPreset.CPU.workload().operationsPerToken());
    assertEquals(70_958_592, BenchmarkPreset.BABY.workload().operationsPerToken());
    assertEquals(769_618_944, BenchmarkPreset.GPT2.workload().operationsPerToken());
  }

  @Test
  void names_areThoseOfTheCommandLine() {
    assertEquals("gpt2", BenchmarkPreset.GPT2.toString());
    assertEquals("gpt2", BenchmarkPreset.GPT2.workload().name());
  }
}
