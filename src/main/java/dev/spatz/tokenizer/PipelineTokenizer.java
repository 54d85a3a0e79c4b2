package dev.spatz.tokenizer;

import dev.spatz.tokenizer.SplitPattern.Scanner;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
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
  private final List<SpecialToken> specialTokens;
  private final TokenBytes bytes;
  private final AddedTokenFinder inText;
  private final AddedTokenFinder inNormalized;

  /** Where the pre-tokens are found by hand and spelled as bytes: the fast path; else null. */
  private final @Nullable Scanner scanner;

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
    this.parts = parts;
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
    scanner = scanner(parts.preTokenizer);
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

  private static @Nullable Scanner scanner(PreTokenizer preTokenizer) {
    if (preTokenizer instanceof PreTokenizer.ByteLevel bytes) {
      return bytes.useRegex() && !bytes.addPrefixSpace() ? Gpt2Splitter::end : null;
    }
    return preTokenizer instanceof PreTokenizer.Sequence sequence
            && sequence.parts().size() == 2
            && sequence.parts().get(0) instanceof PreTokenizer.Split split
            && split.behavior() == PreTokenizer.Behavior.ISOLATED
            && sequence.parts().get(1).equals(new PreTokenizer.ByteLevel(false, false))
        ? split.pattern().scanner()
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
  public List<SpecialToken> specialTokens() {
    return specialTokens;
  }

  @Override
  public int[] encode(CharSequence text) {
    return encode(text, AllowedSpecial.NONE);
  }

  @Override
  public int[] encode(CharSequence text, AllowedSpecial allowed) {
    String whole = text.toString();
    Utf16.requirePairs(whole, 0, whole.length());
    Encoding encoding = new Encoding(whole.length());
    boolean first = true;
    for (AddedTokenFinder.Segment outer : inText.split(whole, allowed)) {
      if (outer.id() >= 0) {
        encoding.append(outer.id());
      } else {
        String normalized = parts.normalizer.normalize(outer.text());
        for (AddedTokenFinder.Segment inner : inNormalized.split(normalized, allowed)) {
          if (inner.id() >= 0) {
            encoding.append(inner.id());
          } else {
            encoding.append(inner.text(), first);
          }
          first = false;
        }
      }
      first = false;
    }
    return Arrays.copyOf(encoding.ids, encoding.size);
  }

  @Override
  public String decode(int... ids) {
    return bytes.decode(ids);
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return new StreamingDecoder(bytes);
  }

  /** {@inheritDoc} Such a place is not searched for. */
  @Override
  public int cut(CharSequence text) {
    return 0;
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
    private final TokenModel.Encoder model = parts.model.encoder();
    private int[] ids;
    private int size;

    Encoding(int length) {
      ids = new int[length / 3 + 16];
    }

    void append(int... piece) {
      if (ids.length - size < piece.length) {
        ids = Arrays.copyOf(ids, Math.addExact(ids.length, Math.max(ids.length / 2, piece.length)));
      }
      System.arraycopy(piece, 0, ids, size, piece.length);
      size += piece.length;
    }

    void append(String text, boolean first) {
      if (scanner == null) {
        for (String piece : parts.preTokenizer.split(text, first)) {
          append(ids(piece, 0, piece.length(), false));
        }
        return;
      }
      for (int start = 0, end; start < text.length(); start = end) {
        end = scanner.end(text, start);
        append(ids(text, start, end, true));
      }
    }

    private int[] ids(String text, int start, int end, boolean spell) {
      if (end - start > PieceCache.LONGEST) {
        return encode(text.substring(start, end), spell);
      }
      int hash = PieceCache.hash(text, start, end);
      int[] known = cache.get(text, start, end, hash);
      if (known == null) {
        String piece = text.substring(start, end);
        known = encode(piece, spell);
        cache.put(piece, hash, known);
      }
      return known;
    }

    private int[] encode(String piece, boolean spell) {
      return model.encode(spell ? ByteLevel.spell(piece) : piece);
    }
  }
}
