package dev.spatz.transformer;

import java.util.List;

/**
 * A matrix of a block that a low-rank adapter can change, by its role. A GPT-2 has {@link
 * #QUERY_KEY_VALUE}, {@link #OUTPUT}, {@link #UP} and {@link #DOWN}; all others have the rest.
 */
public enum LoraTarget {
  /** From the normalized stream to the queries. */
  QUERY,
  /** From the normalized stream to the keys. */
  KEY,
  /** From the normalized stream to the values. */
  VALUE,
  /** The three above as one matrix. */
  QUERY_KEY_VALUE,
  /** From the attended heads back into the stream. */
  OUTPUT,
  /** From the normalized stream to the gates of the feed-forward part. */
  GATE,
  /** From the normalized stream to the feed-forward part. */
  UP,
  /** From the feed-forward part back into the stream. */
  DOWN;

  /** The targets that the blocks of a model have. */
  public static List<LoraTarget> of(TransformerConfig model) {
    return model.architecture() == Architecture.GPT2
        ? List.of(QUERY_KEY_VALUE, OUTPUT, UP, DOWN)
        : List.of(QUERY, KEY, VALUE, OUTPUT, GATE, UP, DOWN);
  }
}
