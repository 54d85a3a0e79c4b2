package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a token adds to a text: each part has the meaning that it has in Hugging Face's {@code
 * tokenizer.json}.
 */
public sealed interface TokenDecoder {
  /** {@return the bytes of a token after this part} */
  byte[] decode(byte[] token);

  /** How many bytes {@link #stripped()} the text loses at its begin at most. */
  default int strip() {
    return 0;
  }

  /** The byte that the text loses at its begin. */
  default byte stripped() {
    return ' ';
  }

  /** Tokens spell bytes by {@link dev.spatz.tokenizer.ByteLevel} characters. */
  record ByteLevel() implements TokenDecoder {
    @Override
    public byte[] decode(byte[] token) {
      String text = new String(token, StandardCharsets.UTF_8);
      try {
        return dev.spatz.tokenizer.ByteLevel.toBytes(text);
      } catch (IllegalArgumentException e) {
        return token; // an added token, which stands for itself
      }
    }
  }

  /** Tokens {@code <0x00>} to {@code <0xFF>} are bytes. */
  record ByteFallback() implements TokenDecoder {
    @Override
    public byte[] decode(byte[] token) {
      String text = new String(token, StandardCharsets.UTF_8);
      return text.matches("<0x[0-9A-Fa-f]{2}>")
          ? new byte[] {(byte) Integer.parseInt(text.substring(3, 5), 16)}
          : token;
    }
  }

  /** Joins the tokens, which all parts before it leave alone. */
  record Fuse() implements TokenDecoder {
    @Override
    public byte[] decode(byte[] token) {
      return token;
    }
  }

  /** Puts something in the place of each match. */
  record Replace(SplitPattern pattern, String content) implements TokenDecoder {
    @Override
    public byte[] decode(byte[] token) {
      if (token.length == 1 && token[0] < 0) {
        return token; // a part of a character
      }
      return pattern
          .replace(new String(token, StandardCharsets.UTF_8), content)
          .getBytes(StandardCharsets.UTF_8);
    }
  }

  /**
   * Takes a character away at the begin of the text.
   *
   * @param content one ASCII character
   * @param start how often at most
   */
  record Strip(char content, int start) implements TokenDecoder {
    /**
     * Checks the components.
     *
     * @throws IllegalArgumentException if the character is not ASCII, or the number negative
     */
    public Strip {
      if (content >= 0x80 || start < 0) {
        throw new IllegalArgumentException(
            "strip takes an ASCII character, at least 0 times; it has '"
                + content
                + "', "
                + start
                + " times");
      }
    }

    @Override
    public byte[] decode(byte[] token) {
      return token;
    }

    @Override
    public int strip() {
      return start;
    }

    @Override
    public byte stripped() {
      return (byte) content;
    }
  }

  /**
   * Turns SentencePiece's character for spaces back.
   *
   * @param replacement the character
   * @param prepended whether the first one of a text was put before it
   */
  record Metaspace(String replacement, boolean prepended) implements TokenDecoder {
    @Override
    public byte[] decode(byte[] token) {
      if (token.length == 1 && token[0] < 0) {
        return token; // a part of a character
      }
      return new String(token, StandardCharsets.UTF_8)
          .replace(replacement, " ")
          .getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public int strip() {
      return prepended ? 1 : 0;
    }
  }

  /** Words with a space between them. */
  record Words() implements TokenDecoder {
    @Override
    public byte[] decode(byte[] token) {
      return (" " + new String(token, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public int strip() {
      return 1;
    }
  }

  /** One after the other. */
  record Sequence(List<TokenDecoder> parts) implements TokenDecoder {
    /**
     * Copies the parts.
     *
     * @throws IllegalArgumentException if two parts take something away at the begin
     */
    public Sequence {
      parts = List.copyOf(parts);
      if (parts.stream().filter(part -> part.strip() > 0).count() > 1) {
        throw new IllegalArgumentException("two decoders strip a text; at most one may");
      }
    }

    @Override
    public byte[] decode(byte[] token) {
      byte[] result = token;
      for (TokenDecoder part : parts) {
        result = part.decode(result);
      }
      return result;
    }

    @Override
    public int strip() {
      return parts.stream().mapToInt(TokenDecoder::strip).sum();
    }

    @Override
    public byte stripped() {
      return parts.stream()
          .filter(part -> part.strip() > 0)
          .map(TokenDecoder::stripped)
          .findFirst()
          .orElse((byte) ' ');
    }
  }
}
