package dev.spatz.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.spatz.SharedData;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** GPT-2's own vocabulary of 50,257 tokens. */
final class Gpt2 {
  private Gpt2() {}

  static BytePairTokenizer tokenizer() throws IOException {
    JsonNode ids = new ObjectMapper().readTree(SharedData.path("gpt2/encoder.json").toFile());
    byte[][] vocabulary = new byte[ids.size()][];
    for (Map.Entry<String, JsonNode> token : ids.properties()) {
      vocabulary[token.getValue().intValue()] = ByteLevel.toBytes(token.getKey());
    }
    List<Merge> merges =
        Files.readAllLines(SharedData.path("gpt2/vocab.bpe")).stream()
            .skip(1)
            .map(line -> line.split(" "))
            .map(pair -> new Merge(ids.get(pair[0]).intValue(), ids.get(pair[1]).intValue()))
            .toList();
    return BytePairTokenizer.of(
        Arrays.asList(vocabulary), merges, List.of(new SpecialToken("<|endoftext|>", 50_256)));
  }
}
