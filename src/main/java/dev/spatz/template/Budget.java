package dev.spatz.template;

/**
 * How much a rendering may still do, in characters copied: each part of the template that is
 * carried out counts as some. A hostile template ends with an exception in well under a second; a
 * conversation of a million characters takes a tenth of this.
 */
final class Budget {
  static final int MOST_DEPTH = 400;
  private static final long MOST_WORK = 50_000_000;

  /** What carrying out a part of a template, or making a value, takes. */
  private static final int STEP = 32;

  private long work = MOST_WORK;
  private int depth;

  /** Takes some work. */
  void spend(long amount) {
    work -= amount;
    if (amount < 0 || work < 0) {
      throw new TemplateException("the template does too much, or never ends");
    }
  }

  /** Takes the work of a step. */
  void step() {
    spend(STEP);
  }

  /** Looks for one text in another, which may take the product of their lengths. */
  void search(CharSequence text, CharSequence part) {
    spend(text.length() + part.length() + (long) text.length() * part.length() / 64);
  }

  /** Goes one level deeper. */
  void enter() {
    step();
    if (++depth > MOST_DEPTH) {
      throw new TemplateException("the template is nested too deeply, or calls itself without end");
    }
  }

  void leave() {
    depth--;
  }
}
