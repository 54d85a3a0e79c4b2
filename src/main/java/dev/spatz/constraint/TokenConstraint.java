package dev.spatz.constraint;

import dev.spatz.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A constraint for the tokens of a vocabulary. Which tokens may come in a state is found out once
 * and kept. Safe for use by many threads; each text has a {@link Matcher} of its own.
 */
public final class TokenConstraint {
  /** Bytes of the masks that are kept. */
  private static final long MOST_BYTES = 64L << 20;

  private final Program program;
  private final TokenTrie trie;
  private final int endOfText;
  private final AtomicLong maskBytes = new AtomicLong();
  private volatile Machine machine;

  /** The tokens that may come, and the most bytes that are still needed after one of them. */
  private record Mask(BitSet allowed, int mostBytesAfter) {}

  TokenConstraint(Program program, Tokenizer tokenizer) {
    this.program = program;
    this.machine = new Machine(program);
    this.trie = new TokenTrie(tokenizer);
    this.endOfText = tokenizer.endOfText();
  }

  /** For a new text. */
  public Matcher matcher() {
    if (maskBytes.get() > MOST_BYTES) {
      maskBytes.set(0);
      machine = new Machine(program); // the old one goes with the texts that use it
    }
    return new Matcher(machine.start());
  }

  private Mask mask(Machine.State state) {
    if (state.attachment instanceof Mask mask) {
      return mask;
    }
    BitSet allowed = new BitSet(trie.size());
    int[] most = {0};
    trie.walk(
        state,
        (id, after) -> {
          allowed.set(id);
          most[0] = Math.max(most[0], after.leastBytes());
        });
    if (state.accepting()) {
      allowed.set(endOfText);
    }
    maskBytes.addAndGet(trie.size() / Byte.SIZE);
    Mask mask = new Mask(allowed, most[0]);
    state.attachment = mask;
    return mask;
  }

  /** Where one text is. Used by one thread at a time. */
  public final class Matcher {
    private Machine.State state;
    private boolean dead;

    private Matcher(Machine.State start) {
      this.state = start;
    }

    /**
     * Forbids the tokens that cannot come: their logits become negative infinity. Where the tokens
     * left would not suffice to end after some of the others, those are forbidden too, unless
     * nothing would be left.
     *
     * @param logits (V)
     * @param tokensLeft the most tokens that can come, this one among them
     */
    public void forbid(float[] logits, int tokensLeft) {
      Mask mask = mask(state);
      BitSet allowed = mask.allowed;
      if (mask.mostBytesAfter >= tokensLeft) {
        BitSet soon = endingSoon(tokensLeft);
        allowed = soon.isEmpty() ? allowed : soon;
      }
      int from = 0;
      for (int id = allowed.nextSetBit(0); id >= 0; id = allowed.nextSetBit(id + 1)) {
        Arrays.fill(logits, from, Math.min(id, logits.length), Float.NEGATIVE_INFINITY);
        from = Math.min(id + 1, logits.length);
      }
      Arrays.fill(logits, from, logits.length, Float.NEGATIVE_INFINITY);
    }

    /** One token for each byte suffices. */
    private BitSet endingSoon(int tokensLeft) {
      BitSet soon = new BitSet(trie.size());
      trie.walk(
          state,
          (id, after) -> {
            if (after.leastBytes() < tokensLeft) {
              soon.set(id);
            }
          });
      if (state.accepting()) {
        soon.set(endOfText);
      }
      return soon;
    }

    /**
     * A token has come.
     *
     * @throws IllegalArgumentException if it cannot come here
     */
    public void accept(int id) {
      if (id == endOfText && state.accepting()) {
        dead = true;
        return;
      }
      Machine.@Nullable State next = dead || trie.bytes(id).length == 0 ? null : state;
      for (byte value : trie.bytes(id)) {
        next = next == null ? null : next.after(value & 0xFF);
      }
      if (next == null) {
        throw new IllegalArgumentException("token " + id + " is forbidden by the constraint");
      }
      state = next;
    }

    /** Whether the text so far has the form. */
    public boolean matches() {
      return state.accepting();
    }

    /** Whether the text so far has the form, and nothing can be added. */
    public boolean isComplete() {
      return state.complete();
    }
  }
}
