package dev.spatz.tokenizer;

import java.util.Random;

/** Well-formed random text, rich in the characters that tokenizers treat specially. */
final class RandomText {
  private static final String[] PARTS = {
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    "\u00A0",
    "\u2028",
    "\u3000",
    "\u180E",
    "\u200B",
    "\u0085",
    "'",
    "'s",
    "'ll",
    "'re",
    "'L",
    "'",
    "''",
    "a",
    "b",
    "aa",
    "the",
    " the",
    "Straße",
    "ÄÖÜ",
    "1",
    "23",
    "٣",
    "Ⅷ",
    "½",
    ".",
    "...",
    "—",
    "e\u0301",
    "漢字",
    "नमस्ते",
    "😀",
    "𝒳",
    "👩‍👩‍👧",
    "𐄣",
    "<|endoftext|>",
    "\0",
    "\uFFFD",
    "\uFEFF"
  };

  private RandomText() {}

  static String of(Random random, int parts) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < parts; i++) {
      if (random.nextInt(4) > 0) {
        text.append(PARTS[random.nextInt(PARTS.length)]);
      } else {
        text.appendCodePoint(scalar(random));
      }
    }
    return text.toString();
  }

  private static int scalar(Random random) {
    int[] limits = {0x80, 0x800, 0x10000, 0x110000};
    int codePoint = random.nextInt(limits[random.nextInt(limits.length)]);
    return codePoint >= 0xD800 && codePoint < 0xE000 ? 'x' : codePoint;
  }
}
