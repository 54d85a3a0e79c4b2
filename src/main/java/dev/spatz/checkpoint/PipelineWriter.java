package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.tokenizer.AddedToken;
import dev.spatz.tokenizer.Merge;
import dev.spatz.tokenizer.Normalizer;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.PreTokenizer;
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.TokenDecoder;
import dev.spatz.tokenizer.TokenModel;
import java.util.List;
import java.util.Locale;

/** Writes what {@link PipelineFile} reads. */
final class PipelineWriter {
  private PipelineWriter() {}

  static void addedTokens(PipelineTokenizer tokenizer, ObjectNode json) {
    ArrayNode array = json.putArray("added_tokens");
    for (AddedToken token : tokenizer.parts().addedTokens()) {
      array
          .addObject()
          .put("id", token.id())
          .put("content", token.content())
          .put("single_word", token.singleWord())
          .put("lstrip", token.lstrip())
          .put("rstrip", token.rstrip())
          .put("normalized", token.normalized())
          .put("special", token.special());
    }
  }

  static void write(PipelineTokenizer tokenizer, ObjectNode json) {
    PipelineTokenizer.Parts parts = tokenizer.parts();
    if (parts.normalizer().equals(Normalizer.NONE)) {
      json.putNull("normalizer");
    } else {
      normalizer(parts.normalizer(), json.putObject("normalizer"));
    }
    if (parts.preTokenizer().equals(PreTokenizer.NONE)) {
      json.putNull("pre_tokenizer");
    } else {
      preTokenizer(parts.preTokenizer(), json.putObject("pre_tokenizer"));
    }
    if (TokenizerFiles.hasTemplate(tokenizer)) {
      TokenizerFiles.writeTemplate(json, tokenizer);
    } else {
      json.putNull("post_processor");
    }
    if (parts.decoder() instanceof TokenDecoder.Words) {
      json.putNull("decoder");
    } else {
      decoder(parts.decoder(), json.putObject("decoder"));
    }
    model(parts.model(), json.putObject("model"));
  }

  private static void normalizer(Normalizer normalizer, ObjectNode json) {
    if (normalizer instanceof Normalizer.Unicode unicode) {
      json.put("type", unicode.form().name());
    } else if (normalizer instanceof Normalizer.Lowercase) {
      json.put("type", "Lowercase");
    } else if (normalizer instanceof Normalizer.Prepend prepend) {
      json.put("type", "Prepend").put("prepend", prepend.prefix());
    } else if (normalizer instanceof Normalizer.Replace replace) {
      pattern(replace.pattern(), json.put("type", "Replace"));
      json.put("content", replace.content());
    } else if (normalizer instanceof Normalizer.Strip strip) {
      json.put("type", "Strip").put("strip_left", strip.left()).put("strip_right", strip.right());
    } else if (normalizer instanceof Normalizer.Sequence sequence) {
      ArrayNode array = json.put("type", "Sequence").putArray("normalizers");
      sequence.parts().forEach(part -> normalizer(part, array.addObject()));
    }
  }

  private static void preTokenizer(PreTokenizer preTokenizer, ObjectNode json) {
    if (preTokenizer instanceof PreTokenizer.ByteLevel bytes) {
      json.put("type", "ByteLevel")
          .put("add_prefix_space", bytes.addPrefixSpace())
          .put("trim_offsets", true)
          .put("use_regex", bytes.useRegex());
    } else if (preTokenizer instanceof PreTokenizer.Split split) {
      pattern(split.pattern(), json.put("type", "Split"));
      json.put("behavior", camelCase(split.behavior().name())).put("invert", split.invert());
    } else if (preTokenizer instanceof PreTokenizer.Metaspace metaspace) {
      json.put("type", "Metaspace")
          .put("replacement", metaspace.replacement())
          .put("prepend_scheme", metaspace.scheme().name().toLowerCase(Locale.ROOT))
          .put("split", metaspace.split());
    } else if (preTokenizer instanceof PreTokenizer.Sequence sequence) {
      ArrayNode array = json.put("type", "Sequence").putArray("pretokenizers");
      sequence.parts().forEach(part -> preTokenizer(part, array.addObject()));
    }
  }

  /** As the library spells it: MERGED_WITH_NEXT is MergedWithNext. */
  private static String camelCase(String name) {
    StringBuilder text = new StringBuilder();
    for (String word : name.split("_", -1)) {
      text.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    return text.toString();
  }

  private static void decoder(TokenDecoder decoder, ObjectNode json) {
    if (decoder instanceof TokenDecoder.ByteLevel) {
      json.put("type", "ByteLevel")
          .put("add_prefix_space", true)
          .put("trim_offsets", true)
          .put("use_regex", true);
    } else if (decoder instanceof TokenDecoder.ByteFallback) {
      json.put("type", "ByteFallback");
    } else if (decoder instanceof TokenDecoder.Fuse) {
      json.put("type", "Fuse");
    } else if (decoder instanceof TokenDecoder.Replace replace) {
      pattern(replace.pattern(), json.put("type", "Replace"));
      json.put("content", replace.content());
    } else if (decoder instanceof TokenDecoder.Strip strip) {
      json.put("type", "Strip")
          .put("content", String.valueOf(strip.content()))
          .put("start", strip.start())
          .put("stop", 0);
    } else if (decoder instanceof TokenDecoder.Metaspace metaspace) {
      json.put("type", "Metaspace")
          .put("replacement", metaspace.replacement())
          .put("prepend_scheme", metaspace.prepended() ? "always" : "never")
          .put("split", true);
    } else if (decoder instanceof TokenDecoder.Sequence sequence) {
      ArrayNode array = json.put("type", "Sequence").putArray("decoders");
      sequence.parts().forEach(part -> decoder(part, array.addObject()));
    }
  }

  private static void pattern(SplitPattern pattern, ObjectNode json) {
    json.putObject("pattern").put(pattern.isRegex() ? "Regex" : "String", pattern.source());
  }

  private static void model(TokenModel model, ObjectNode json) {
    ObjectNode vocabulary;
    if (model instanceof TokenModel.BytePair bytePair) {
      TokenModel.BytePairOptions options = bytePair.options();
      json.put("type", "BPE")
          .putNull("dropout")
          .put("unk_token", options.unknown())
          .putNull("continuing_subword_prefix")
          .putNull("end_of_word_suffix")
          .put("fuse_unk", options.fuseUnknown())
          .put("byte_fallback", options.byteFallback())
          .put("ignore_merges", options.ignoreMerges());
      vocabulary = json.putObject("vocab");
      ArrayNode merges = json.putArray("merges");
      List<String> tokens = model.vocabulary();
      for (Merge merge : bytePair.merges()) {
        merges.addArray().add(tokens.get(merge.left())).add(tokens.get(merge.right()));
      }
    } else {
      vocabulary = json.put("type", "WordLevel").putObject("vocab");
      json.put("unk_token", model.unknown());
    }
    for (String token : model.vocabulary()) {
      vocabulary.put(token, vocabulary.size());
    }
  }
}
