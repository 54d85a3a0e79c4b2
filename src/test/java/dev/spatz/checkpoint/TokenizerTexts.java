package dev.spatz.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Texts that tokenizers are compared on: hard ones, written by hand, and random Unicode. */
final class TokenizerTexts {
  private static final int RANDOM = 400;
  private static final long SEED = 20;

  private static final List<String> BY_HAND =
      List.of(
          // English, contractions, digits
          "Hello, world!",
          "the",
          " the",
          "  the  quick   brown fox  ",
          "DON'T won't WE'LL it'S I'm you're they'd we've o'clock 'tis rock'n'roll",
          "'s 't 're 've 'm 'll 'd 'S 'RE 'lL '' ''s x''s 'sabc 'reabc",
          "don\u2019t it\u2019s \u2018quoted\u2019 \u201Cdouble\u201D",
          "'\u017Fabc '\u017F \u017F\u017F \u212A \u212Aelvin",
          "1 12 123 1234 12345 123456 1234567 12345678",
          "3.14159 -2.5e10 1,000,000.00 0x1F 0b1010 1_000",
          "abc123def456 x1y2z3 007",
          "word word, WORD wordword word_word (word) word",
          "A B C D E F G",
          "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
          "MiXeD cAsE TeXt ALLCAPS camelCaseIdentifier snake_case_identifier kebab-case",
          // White space
          " ",
          "  ",
          "   ",
          "\n",
          "\n\n",
          "\r\n",
          "\r\n\r\n",
          "\t",
          " \n",
          "\n ",
          "a\nb",
          "a \n b",
          "a\n\n\nb",
          "a  \n  \n  b",
          "tabs\t\tand \t mixed \r\n\r\n  lines   \n",
          "trailing   ",
          "trailing\n",
          "trailing \n ",
          "!\n",
          "!!!\n\n x",
          "... \n ... \r\n",
          "a\u00A0b \u00A0c\u00A0 d",
          "a\u2003b\u2009c\u3000d\u1680e\u205Ff",
          "a\u2028b\u2029c\u0085d",
          "\u00A0\u00A0x",
          "x \u3000\u3000 y",
          "a\u000Bb\u000Cc\u001Cd\u001De\u001Ef\u001Fg",
          // Punctuation and code
          "!!! ??? ... --- *** ### $$$ %%% &&& ((( ))) [[[ ]]] {{{ }}}",
          "for (int i = 0; i < 10; i++) {\n\t\tsum += a[i]; // total\r\n}\n\n\n",
          "def f(x):\n    return {'a': x**2, \"b\": [1, 2, 3]}  # comment\n",
          "SELECT * FROM t WHERE a >= 10 AND b != 'x';",
          "<html><body class=\"x\">&nbsp;&amp;</body></html>",
          "https://example.org/a/b?c=d&e=f#g user@example.com C:\\path\\file.txt",
          "a+b=c; a/b*c-d%e^f|g&h~i",
          "#include <stdio.h>\nint main(void) { printf(\"%d\\n\", 42); return 0; }",
          "{\"key\": [null, true, 1.5e-3], \"\\u00e9\": \"\\\\\"}",
          "=====\n-----\n_____\n",
          "\u2014 \u2013 \u2026 \u00AB\u00BB \u00A7 \u00B6 \u2020 \u2030 \u20AC \u00A3 \u00A5",
          "\u2200x\u2208\u211D: x\u00B2 \u2265 0 \u2227 \u00ACp \u2192 q",
          "\\n \\t \\\\ \\",
          // European languages
          "na\u00EFve caf\u00E9, Stra\u00DFe, \u00C4\u00D6\u00DC \u00E4\u00F6\u00FC",
          "Stra\u00DFenbahnhaltestellenschild Donaudampfschifffahrtsgesellschaft",
          "\u0395\u03BB\u03BB\u03B7\u03BD\u03B9\u03BA\u03AC \u039F\u0394\u039F\u03A3 \u03C3\u03C2",
          "\u0420\u0443\u0441\u0441\u043A\u0438\u0439 \u0442\u0435\u043A\u0441\u0442, \u0401\u0436",
          "\u0130stanbul I\u0131 \u0130\u0307 ISTANBUL",
          "Za\u017C\u00F3\u0142\u0107 g\u0119\u015Bl\u0105 ja\u017A\u0144",
          "\u010Ce\u0161tina \u0158e\u0159icha p\u0159\u00EDli\u0161 \u017Elu\u0165ou\u010Dk\u00FD",
          "Ti\u1EBFng Vi\u1EC7t c\u00F3 d\u1EA5u",
          "\u01C5 \u01C8 \u01CB \uFB01 \uFB00 \u0132 \u1E9E",
          // Combining marks and normalization
          "e\u0301 E\u0301 a\u0308o\u0308u\u0308 n\u0303",
          "\u00E9 e\u0301 \u0065\u0301",
          "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306 z\u0351\u036B\u0343",
          "\u0301 starts with a mark",
          " \u0301x 1\u0301 !\u0301",
          "q\u0307\u0323 q\u0323\u0307 \u1E69 s\u0323\u0307",
          "\u212B \u00C5 A\u030A \u2126 \u03A9",
          "\u1100\u1161\u11A8 \uAC01 \uAC00\u11A8",
          "\u00BD \u00BC \u2153 \u00B2\u00B3\u00B9 \u2460 \u2167 \u216B \u3007",
          "\uFF11\uFF12\uFF13 \uFF21\uFF22\uFF23 \uFF41\uFF42 \uFF01",
          "\u2075\u2080\u2070 H\u2082O x\u207F",
          "\uFDFA \u3300 \u33A1 \u2122 \u00AE",
          // Scripts
          "\u6771\u4EAC\u3068\u5317\u4EAC\u3002\u65E5\u672C\u8A9E\u306E\u30C6\u30AD\u30B9\u30C8",
          "\u4E2D\u6587\u6587\u672C\uFF0C\u5305\u542B\u6807\u70B9\u3002\u8FD8\u6709123\u6570\u5B57",
          "\uD55C\uAD6D\uC5B4 \uD14D\uC2A4\uD2B8 \uC548\uB155\uD558\uC138\uC694",
          "\u30AB\u30BF\u30AB\u30CA \u3072\u3089\u304C\u306A \uFF76\uFF80\uFF76\uFF85 \u30AC \u30AB\u3099",
          "\u0645\u0631\u062D\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060C \u0661\u0662\u0663",
          "\u0627\u0644\u0652\u0639\u064E\u0631\u064E\u0628\u0650\u064A\u0651\u064E\u0629\u064F",
          "\u05E9\u05C1\u05DC\u05D5\u05B9\u05DD \u05E2\u05D5\u05DC\u05DD",
          "\u0E2A\u0E27\u0E31\u0E2A\u0E14\u0E35\u0E0A\u0E32\u0E27\u0E42\u0E25\u0E01 \u0E51\u0E52\u0E53",
          "\u0928\u092E\u0938\u094D\u0924\u0947 \u0926\u0941\u0928\u093F\u092F\u093E \u0967\u0968\u0969",
          "\u09AC\u09BE\u0982\u09B2\u09BE \u0BA4\u0BAE\u0BBF\u0BB4\u0BCD \u0C24\u0C46\u0C32\u0C41\u0C17\u0C41",
          "\u1019\u103C\u1014\u103A\u1019\u102C \u1781\u17D2\u1798\u17C2\u179A \u0EA5\u0EB2\u0EA7",
          "\u10E5\u10D0\u10E0\u10D7\u10E3\u10DA\u10D8 \u0540\u0561\u0575\u0565\u0580\u0565\u0576",
          "\u12A0\u121B\u122D\u129B \u13E3\u13B3\u13A9 \u1403\u14C4\u1483",
          "\u200F\u05D0\u200E a \u202Eabc\u202C \u2066x\u2069",
          // Emoji
          "\uD83D\uDE00\uD83D\uDE01 \uD83D\uDE02",
          "\uD83D\uDC69\u200D\uD83D\uDC69\u200D\uD83D\uDC67\u200D\uD83D\uDC66 family",
          "\uD83D\uDC4D\uD83C\uDFFD \uD83E\uDDD1\uD83C\uDFFF\u200D\uD83D\uDCBB",
          "\u2764\uFE0F \u2764 \u263A\uFE0E 1\uFE0F\u20E3 #\uFE0F\u20E3",
          "\uD83C\uDDE9\uD83C\uDDEA\uD83C\uDDEB\uD83C\uDDF7",
          "\uD83C\uDFF4\uDB40\uDC67\uDB40\uDC62\uDB40\uDC65\uDB40\uDC6E\uDB40\uDC67\uDB40\uDC7F",
          "text\uD83D\uDE80text \uD83D\uDE80 1\uD83D\uDE802",
          // Astral letters, digits and symbols
          "\uD835\uDCB3\uD835\uDCB4 \uD835\uDFCE\uD835\uDFCF a\uD835\uDC00b",
          "\uD800\uDD23\uD800\uDD24 \uD801\uDC00\uD801\uDC28 \uD840\uDC00\uD869\uDED6",
          "\uD834\uDD1E \uD83A\uDD00\uD83A\uDD22",
          // Control characters, BOM and friends
          "\uFEFFbyte order mark",
          "a\uFEFFb \uFEFF",
          "\u0000",
          "a\u0000b\u0001c\u0007d\u001Be\u007Ff",
          "\u0080\u009F \u00AD soft\u00ADhyphen",
          "zero\u200Bwidth\u200Cnon\u200Djoiner\u2060word",
          "\uFFFD\uFFFC\uFFF9 \uE000 \uF8FF",
          "\u180E\u180Ex \u2800\u2800",
          // Runs
          "a".repeat(200),
          "ab".repeat(100),
          " ".repeat(100),
          " ".repeat(60) + "x",
          "\n".repeat(60) + "x",
          " \n".repeat(40),
          "\t".repeat(33) + "y",
          "!".repeat(70),
          "'".repeat(35),
          "7".repeat(50),
          "\u4E2D".repeat(60),
          "\u00E9".repeat(60),
          "\uD83D\uDE00".repeat(30),
          "\u0301".repeat(40),
          "word ".repeat(40),
          "-".repeat(80) + "\n" + "=".repeat(80),
          // Spelled tokens
          "<|endoftext|>",
          "a<|endoftext|>b",
          " <|endoftext|> ",
          "<|endoftext|><|endoftext|>",
          "<|endoftext|",
          "<<|endoftext|>>",
          "<|ENDOFTEXT|>",
          "[UNK] <unk> <0x41> <0xFF> \u2581 \u2581a \u0120 \u0120a \u010A",
          "<x00000> <x00001>a <x00001> <x00010> <x00011>,  <x00100>  x",
          "a<x00010>b  <x00010>  c  <x00110>  d<x00111>e <x00111> f",
          "<X01000> <x01000> <X01001> a<X01001> <X01010> <X01110>  <x01111> .",
          "<x10000><x10001> <x10010>  <x10100>\n\n<x10110> \t<x10111>",
          "  <x11000>  <X11010>  <X11100>  <x11110>  <X11111>  ",
          "<x <x0 <x00000 <x00000>> <x<x00000>",
          "Word WORD word word  word word \u00C9 \u00E9 E\u0301",
          "");

  private TokenizerTexts() {}

  static List<String> byHand() {
    return BY_HAND;
  }

  static List<String> all() {
    List<String> texts = new ArrayList<>(BY_HAND);
    Random random = new Random(SEED);
    for (int i = 0; i < RANDOM; i++) {
      texts.add(random(random));
    }
    return texts;
  }

  /** Random characters, from several blocks, and pieces of the texts above. */
  private static String random(Random random) {
    StringBuilder text = new StringBuilder();
    int[] limits = {0x80, 0x250, 0x800, 0x3100, 0x10000, 0x110000};
    while (text.length() < 60) {
      int limit = limits[random.nextInt(limits.length)];
      switch (random.nextInt(5)) {
        case 0:
          text.append(" ".repeat(random.nextInt(3)));
          break;
        case 1:
          String hand = BY_HAND.get(random.nextInt(BY_HAND.size()));
          int from =
              hand.offsetByCodePoints(
                  0, random.nextInt(1 + hand.codePointCount(0, hand.length()) / 2));
          int count = Math.min(8, hand.codePointCount(from, hand.length()));
          text.append(hand, from, hand.offsetByCodePoints(from, count));
          break;
        default:
          int codePoint = random.nextInt(limit);
          if (isOld(codePoint)) {
            text.appendCodePoint(codePoint);
          }
      }
    }
    return text.toString();
  }

  /**
   * Whether a code point has a character, and had one before Unicode 13: libraries follow different
   * versions, and know nothing of what came later.
   */
  private static boolean isOld(int codePoint) {
    return Character.isDefined(codePoint)
        && Character.getType(codePoint) != Character.SURROGATE
        && codePoint < 0xE0000;
  }
}
