package dev.spatz.tokenizer;

import java.util.Set;
import java.util.function.Predicate;

/**
 * Which special tokens are found where a text spells them. All others are ordinary text there, so
 * that a text from outside cannot smuggle one in.
 */
public final class AllowedSpecial {
  /** No special token. */
  public static final AllowedSpecial NONE = new AllowedSpecial(content -> false);

  /** Every special token; for texts that are trusted. */
  public static final AllowedSpecial ALL = new AllowedSpecial(content -> true);

  private final Predicate<String> allowed;
  private final boolean onlyAtBeginning;

  private AllowedSpecial(Predicate<String> allowed) {
    this(allowed, false);
  }

  private AllowedSpecial(Predicate<String> allowed, boolean onlyAtBeginning) {
    this.allowed = allowed;
    this.onlyAtBeginning = onlyAtBeginning;
  }

  /**
   * Some special tokens.
   *
   * @param contents their spellings
   * @return what allows these and no others
   */
  public static AllowedSpecial of(String... contents) {
    return new AllowedSpecial(Set.of(contents)::contains);
  }

  /** One special token, where a text begins with it. */
  static AllowedSpecial atBeginning(String content) {
    return new AllowedSpecial(content::equals, true);
  }

  boolean contains(String content, int index) {
    return allowed.test(content) && (index == 0 || !onlyAtBeginning);
  }
}
