package dev.spatz.template;

/**
 * How much a rendering may still do: parts of the template carried out, characters made. A hostile
 * template ends with an exception in well under a second.
 */
final class Budget {
  static final int MOST_DEPTH = 400;
  private static final long MOST_WORK = 20_000_000;

  private long work = MOST_WORK;
  private int depth;

  /** Takes some work. */
  void spend(long amount) {
    work -= amount;
    if (amount < 0 || work < 0) {
      throw new TemplateException("the template does too much, or never ends");
    }
  }

  /** Looks for one text in another, which may take the product of their lengths. */
  void search(CharSequence text, CharSequence part) {
    spend(text.length() + part.length() + (long) text.length() * part.length() / 64);
  }

  /** Goes one level deeper. */
  void enter() {
    spend(1);
    if (++depth > MOST_DEPTH) {
      throw new TemplateException("the template is nested too deeply, or calls itself without end");
    }
  }

  void leave() {
    depth--;
  }
}
