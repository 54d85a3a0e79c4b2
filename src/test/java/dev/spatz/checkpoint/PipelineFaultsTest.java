package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A {@code tokenizer.json} of every part, made by hand; each of its rules has a broken one. */
class PipelineFaultsTest {
  private static final String GOOD =
      """
      {"version":"1.0","truncation":null,"padding":null,
       "added_tokens":[{"id":0,"content":"<s>","special":true},
                       {"id":1,"content":"<pad>","special":false,"lstrip":true}],
       "normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},
         {"type":"Strip","strip_left":false,"strip_right":true},
         {"type":"Replace","pattern":{"String":"~"},"content":"a"}]},
       "pre_tokenizer":{"type":"Sequence","pretokenizers":[
         {"type":"Split","pattern":{"Regex":"b"},"behavior":"Isolated","invert":false},
         {"type":"Digits","individual_digits":true},
         {"type":"Metaspace","replacement":"_","prepend_scheme":"never","split":true}]},
       "post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel"},
         {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},
           {"Sequence":{"id":"A","type_id":0}}],"pair":[],
          "special_tokens":{"<s>":{"id":"<s>","ids":[0],"tokens":["<s>"]}}}]},
       "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"_"},
         "content":" "},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
       "model":{"type":"BPE","unk_token":"<pad>","fuse_unk":false,"byte_fallback":false,
         "vocab":{"<s>":0,"<pad>":1,"_":2,"a":3,"b":4,"_a":5},"merges":["_ a"]}}""";

  @TempDir Path directory;

  @BeforeEach
  void writeSettings() throws IOException {
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"eos_token\":\"<s>\"}");
    Files.writeString(directory.resolve("config.json"), "{}");
  }

  private Tokenizer read(byte[] json) throws IOException {
    Files.write(directory.resolve("tokenizer.json"), json);
    return TokenizerFiles.read(
        directory, JsonObject.read(directory.resolve("config.json"), JsonObject.SETTINGS_BYTES));
  }

  private Tokenizer read(String json) throws IOException {
    return read(json.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void file_withoutFault_isRead() throws IOException {
    Tokenizer tokenizer = assertInstanceOf(PipelineTokenizer.class, read(GOOD));
    assertArrayEquals(new int[] {3, 5, 4, 1}, tokenizer.encode("~ ab1 "));
    assertEquals("a ab", tokenizer.decode(3, 5, 4));
    assertEquals(0, tokenizer.beginOfText().orElseThrow());
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '§',
      delimiter = '→',
      value = {
        "\"NFC\" → \"NFX\" → normalizer.normalizers[0].type is \"NFX\"",
        "\"normalizers\":[ → \"normalizers\":[7, → normalizer.normalizers[0] is 7",
        "\"normalizers\" → \"x\" → normalizer.normalizers is absent",
        "\"strip_left\":false → \"strip_left\":0 → normalizers[1].strip_left is 0",
        "\"String\":\"~\" → \"String\":\"\" → pattern.String is \"\"; a pattern is empty",
        "{\"String\":\"~\"} → 7 → normalizers[2].pattern is 7",
        "\"content\":\"a\" → \"content\":7 → normalizers[2].content is 7",
        "\"Regex\":\"b\" → \"Regex\":\"(b\" → pretokenizers[0].pattern.Regex is \"(b\"",
        "\"Regex\":\"b\" → \"Regex\":\"\\\\Kb\" → this is not implemented",
        "\"Isolated\" → \"Alone\" → pretokenizers[0].behavior is \"Alone\"",
        "\"invert\":false → \"invert\":\"\" → pretokenizers[0].invert is \"\"",
        "\"individual_digits\":true → \"individual_digits\":1 → individual_digits is 1",
        "\"Digits\" → \"Punctuation\" → pretokenizers[1].type is \"Punctuation\"",
        "\"replacement\":\"_\" → \"replacement\":\"__\" → replacement is \"__\"; it must be one",
        "\"never\" → \"sometimes\" → prepend_scheme is \"sometimes\"",
        "\"split\":true → \"split\":null,\"add_prefix_space\":3 → add_prefix_space is 3",
        "\"pretokenizers\":[ → \"pretokenizers\":{},\"x\":[ → pre_tokenizer.pretokenizers is {}",
        "{\"type\":\"ByteLevel\"} → {\"type\":\"Roberta\"} → processors[0].type is \"Roberta\"",
        "{\"type\":\"ByteLevel\"} → {} → processors[0].type is absent",
        "\"Sequence\":{\"id\":\"A\" → \"Sequence\":{\"id\":\"B\" → at most one token before",
        "\"single\":[ → \"single\":[{\"SpecialToken\":{\"id\":\"<s>\"}}, → at most one token",
        "\"ids\":[0] → \"ids\":[0,0] → special_tokens is",
        "\"ids\":[0] → \"ids\":[\"0\"] → each must have one id",
        "\"ids\":[0] → \"ids\":[1] → id 1 is no special token",
        "\"special_tokens\":{\"<s>\" → \"special_tokens\":{\"<t>\" → special_tokens.<s> is absent",
        "{\"type\":\"Fuse\"} → {\"type\":\"CTC\"} → decoders[1].type is \"CTC\"",
        "{\"type\":\"Fuse\"}, →  → \"Strip\" is implemented behind \"Fuse\"",
        "\"start\":1 → \"start\":-1 → decoders[2].start is -1",
        "\"stop\":0 → \"stop\":1 → one ASCII character is implemented, with \"stop\" 0",
        "\"content\":\" \",\"start\" → \"content\":\"é\",\"start\" → one ASCII character",
        "\"decoders\":[ → \"decoders\":[{\"type\":\"Metaspace\"}, → replacement is absent",
        "\"BPE\" → \"Unigram\" → model.type is \"Unigram\"",
        "\"unk_token\":\"<pad>\" → \"unk_token\":\"<x>\" → the unknown token '<x>' is not in",
        "\"unk_token\":\"<pad>\" → \"unk_token\":7 → model.unk_token is 7",
        "\"fuse_unk\":false → \"fuse_unk\":7 → model.fuse_unk is 7",
        "\"byte_fallback\":false → \"byte_fallback\":7 → model.byte_fallback is 7",
        "\"merges\":[ → \"ignore_merges\":7,\"merges\":[ → model.ignore_merges is 7",
        "\"_ a\" → \"_ c\" → model.merges[0] is \"_ c\"",
        "\"_ a\" → \"_ a\",\"_ a\" → merge 1",
        "\"_ a\" → \"a b\" → merge 0 makes 'ab'",
        "\"_a\":5 → \"_a\":6 → model.vocab._a is 6",
        "\"_a\":5 → \"_a\":4 → model.vocab._a is 4",
        "\"id\":1,\"content\":\"<pad>\" → \"id\":2,\"content\":\"<pad>\" → model.vocab.<pad> is 1",
        "\"id\":1,\"content\":\"<pad>\" → \"id\":9,\"content\":\"<new>\" → model.vocab.<new> is",
        "\"id\":1,\"content\":\"<pad>\" → \"id\":1 → added_tokens[1].content is absent",
        "\"lstrip\":true → \"lstrip\":\"\" → added_tokens[1].lstrip is \"\"",
        "\"id\":0,\"content\":\"<s>\",\"special\":true → \"id\":0,\"content\":\"<s>\" → is missing"
      })
  void brokenRule_isRefused(String from, String to, String fault) {
    assertTrue(GOOD.contains(from), from);
    String broken = GOOD.replace(from, to == null ? "" : to);
    InvalidFileException e = assertThrows(InvalidFileException.class, () -> read(broken));
    assertEquals(directory.resolve("tokenizer.json"), e.path());
    assertTrue(e.fault().contains(fault), e.fault());
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '§',
      delimiter = '→',
      value = {
        "\"a\":1,\"b\":1 → model.vocab.b is 1",
        "\"a\":-1 → model.vocab.a is -1",
        "\"a\":1.5 → model.vocab.a is 1.5"
      })
  void brokenWords_areRefused(String words, String fault) {
    String json =
        """
        {"version":"1.0","added_tokens":[{"id":0,"content":"<s>","special":true}],
         "pre_tokenizer":{"type":"WhitespaceSplit"},
         "model":{"type":"WordLevel","unk_token":"<s>","vocab":{"<s>":0,%s}}}"""
            .formatted(words);
    InvalidFileException e = assertThrows(InvalidFileException.class, () -> read(json));
    assertTrue(e.fault().contains(fault), e.fault());
  }

  /** Flipped bits, and ends cut off. */
  @Test
  void damage_isReadOrRefused() throws IOException {
    byte[] good = GOOD.getBytes(StandardCharsets.UTF_8);
    Random random = new Random(4);
    int refused = 0;
    for (int trial = 0; trial < 2_000; trial++) {
      byte[] bad = trial % 4 > 0 ? good.clone() : Arrays.copyOf(good, random.nextInt(good.length));
      for (int flips = random.nextInt(3); bad.length > 0 && flips >= 0; flips--) {
        bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try {
        read(bad).encode("a ~b1");
      } catch (InvalidFileException e) {
        refused++;
        assertTrue(e.getMessage().startsWith(directory + "/"), e.getMessage());
      } catch (RuntimeException e) {
        fail(new String(bad, StandardCharsets.ISO_8859_1), e);
      }
    }
    assertTrue(refused > 1_000, "only " + refused + " were refused");
  }
}
