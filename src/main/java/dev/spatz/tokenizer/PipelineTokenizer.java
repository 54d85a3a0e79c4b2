package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A tokenizer made of the parts that Hugging Face's {@code tokenizer.json} describes, with the ids
 * that their library gives:
 *
 * <pre>{@code text → added tokens → normalizer → pre-tokenizer → model → ids → decoder → text}
 * </pre>
 *
 * <p>Not every such tokenizer gives a text back as it was: a normalizer may change it, and a model
 * may have an unknown token.
 */
public final class PipelineTokenizer implements Tokenizer {
  /**
   * The parts.
   *
   * @param addedTokens special and ordinary ones, at their ids in the model's vocabulary
   */
  public record Parts(
      List<AddedToken> addedTokens,
      Normalizer normalizer,
      PreTokenizer preTokenizer,
      TokenModel model,
      TokenDecoder decoder) {
    /** Copies the tokens. */
    public Parts {
      addedTokens = List.copyOf(addedTokens);
    }
  }

  private final Parts parts;
  private final int endOfText;
  private final OptionalInt beginOfText;
  private final boolean endsTexts;
  private final List<SpecialToken> specialTokens;
  private final TokenBytes bytes;
  private final AddedTokenFinder inText;
  private final AddedTokenFinder inNormalized;
  private final PipelineCuts cuts;

  /** Does all of the splitting and encoding, where it can: the fast path; else null. */
  private final @Nullable ByteLevelEncoder byteLevel;

  /** The model, which makes no special token of a text. */
  private final TokenModel model;

  private final PieceCache cache = new PieceCache();

  /**
   * Joins the parts.
   *
   * @param endOfText id of the special token that ends a document
   * @param beginOfText id of the special token that stands before every prompt, or empty
   * @throws IllegalArgumentException if an added token has not its spelling in the model's
   *     vocabulary, or an id above is no special token's
   */
  public PipelineTokenizer(Parts parts, int endOfText, OptionalInt beginOfText) {
    this(parts, endOfText, beginOfText, false);
  }

  /**
   * Joins the parts.
   *
   * @param endsTexts see {@link #endsTexts()}
   * @throws IllegalArgumentException as {@link #PipelineTokenizer(Parts, int, OptionalInt)}
   */
  public PipelineTokenizer(Parts parts, int endOfText, OptionalInt beginOfText, boolean endsTexts) {
    this.parts = parts;
    this.endsTexts = endsTexts;
    this.endOfText = endOfText;
    this.beginOfText = beginOfText;
    List<String> vocabulary = parts.model.vocabulary();
    List<byte[]> texts = new ArrayList<>(vocabulary.size());
    for (String token : vocabulary) {
      texts.add(parts.decoder.decode(token.getBytes(StandardCharsets.UTF_8)));
    }
    for (AddedToken token : parts.addedTokens) {
      if (token.id() >= vocabulary.size() || !vocabulary.get(token.id()).equals(token.content())) {
        throw new IllegalArgumentException(
            "added token " + token.content() + " is not in the vocabulary at id " + token.id());
      }
      if (token.special()) {
        texts.set(token.id(), new byte[0]);
      }
    }
    bytes = new TokenBytes(texts, parts.decoder.stripped(), parts.decoder.strip());
    specialTokens =
        parts.addedTokens.stream()
            .filter(AddedToken::special)
            .map(token -> new SpecialToken(token.content(), token.id()))
            .sorted(Comparator.comparingInt(SpecialToken::id))
            .toList();
    requireSpecial(endOfText);
    beginOfText.ifPresent(this::requireSpecial);
    inText = finder(false);
    inNormalized = finder(true);
    cuts = new PipelineCuts(parts, inText, inNormalized);
    model = parts.model.without(specialIds());
    byteLevel = byteLevel(parts.preTokenizer, model);
  }

  private Set<Integer> specialIds() {
    return specialTokens.stream().map(SpecialToken::id).collect(Collectors.toSet());
  }

  private void requireSpecial(int id) {
    if (specialTokens.stream().noneMatch(token -> token.id() == id)) {
      throw new IllegalArgumentException(
          "id " + id + " is no special token; they are " + specialTokens);
    }
  }

  private AddedTokenFinder finder(boolean normalized) {
    List<AddedToken> tokens =
        parts.addedTokens.stream().filter(token -> token.normalized() == normalized).toList();
    return new AddedTokenFinder(tokens, parts.normalizer);
  }

  private static @Nullable ByteLevelEncoder byteLevel(PreTokenizer preTokenizer, TokenModel model) {
    Splitter splitter = preTokenizer.byteLevelSplitter();
    return splitter != null && model instanceof TokenModel.BytePair bytePair
        ? bytePair.byteLevel(splitter)
        : null;
  }

  /** {@return what it is made of} */
  public Parts parts() {
    return parts;
  }

  /** {@return what its tokens are, such as {@code byte-level BPE}} */
  public String kind() {
    if (!(parts.model instanceof TokenModel.BytePair bytePair)) {
      return "words";
    }
    if (spellsBytes(parts.preTokenizer)) {
      return "byte-level BPE";
    }
    return bytePair.options().byteFallback() ? "BPE with byte fallback" : "BPE of characters";
  }

  private static boolean spellsBytes(PreTokenizer preTokenizer) {
    return preTokenizer instanceof PreTokenizer.ByteLevel
        || preTokenizer instanceof PreTokenizer.Sequence sequence
            && sequence.parts().stream().anyMatch(PipelineTokenizer::spellsBytes);
  }

  @Override
  public int vocabularySize() {
    return bytes.size();
  }

  @Override
  public int endOfText() {
    return endOfText;
  }

  @Override
  public OptionalInt beginOfText() {
    return beginOfText;
  }

  @Override
  public boolean endsTexts() {
    return endsTexts;
  }

  @Override
  public List<SpecialToken> specialTokens() {
    return specialTokens;
  }

  @Override
  public int[] encode(CharSequence text) {
    return encode(text, AllowedSpecial.NONE);
  }

  @Override
  public int[] encodeContinuation(CharSequence text) {
    return encode(text, AllowedSpecial.NONE, true);
  }

  @Override
  public int[] encode(CharSequence text, AllowedSpecial allowed) {
    return encode(text, allowed, false);
  }

  private int[] encode(CharSequence text, AllowedSpecial allowed, boolean continuing) {
    String whole = text.toString();
    Utf16.requirePairs(whole, 0, whole.length());
    Encoding encoding = new Encoding(whole.length());
    boolean first = true;
    for (AddedTokenFinder.Segment outer : inText.split(whole, allowed)) {
      if (outer.id() >= 0) {
        encoding.ids.add(outer.id());
      } else {
        boolean plain = first && continuing;
        String normalized =
            (plain ? parts.normalizer.continuing() : parts.normalizer).normalize(outer.text());
        for (AddedTokenFinder.Segment inner : inNormalized.split(normalized, allowed)) {
          if (inner.id() >= 0) {
            encoding.ids.add(inner.id());
          } else {
            encoding.append(inner.text(), first, first && continuing);
          }
          first = false;
        }
      }
      first = false;
    }
    return encoding.ids.toArray();
  }

  @Override
  public String decode(int... ids) {
    return bytes.decode(ids);
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return new StreamingDecoder(bytes);
  }

  @Override
  public int cut(CharSequence text) {
    return cuts.last(text);
  }

  /**
   * What a token adds to a text that has begun; nothing for special tokens.
   *
   * @throws IllegalArgumentException if the id is outside the vocabulary
   */
  @Override
  public byte[] tokenBytes(int id) {
    return bytes.copy(id);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s, %,d tokens, %s (%d) ends a text",
        kind(),
        vocabularySize(),
        parts.model.vocabulary().get(endOfText),
        endOfText);
  }

  /** One call of {@link #encode}. */
  private final class Encoding {
    private final TokenModel.Encoder encoder = model.encoder();
    private final IdList ids;

    Encoding(int length) {
      ids = new IdList(length);
    }

    void append(String text, boolean first, boolean continuing) {
      if (byteLevel != null) {
        byteLevel.encode(text.getBytes(StandardCharsets.UTF_8), ids);
        return;
      }
      PreTokenizer splits = continuing ? parts.preTokenizer.continuing() : parts.preTokenizer;
      for (String piece : splits.split(text, first)) {
        ids.addAll(ids(piece));
      }
    }

    private int[] ids(String piece) {
      byte[] utf8 = piece.getBytes(StandardCharsets.UTF_8);
      if (utf8.length > PieceCache.LONGEST) {
        return encoder.encode(piece);
      }
      int hash = PieceCache.hash(utf8, 0, utf8.length);
      int[] known = cache.get(utf8, 0, utf8.length, hash);
      if (known == null) {
        known = encoder.encode(piece);
        cache.put(utf8, hash, known);
      }
      return known;
    }
  }
}
