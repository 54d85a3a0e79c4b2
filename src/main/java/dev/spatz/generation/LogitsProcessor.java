package dev.spatz.generation;

import java.nio.IntBuffer;

/**
 * Changes the logits of a token before it is drawn. One that is used by several generations at once
 * must be safe for that.
 */
@FunctionalInterface
public interface LogitsProcessor {
  /**
   * Changes logits.
   *
   * @param tokens the ids of the prompt and of what was generated so far; a read-only view, valid
   *     during the call
   * @param logits (V), to be changed in place; negative infinity forbids a token
   */
  void process(IntBuffer tokens, float[] logits);
}
