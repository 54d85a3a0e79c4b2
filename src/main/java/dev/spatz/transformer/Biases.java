package dev.spatz.transformer;

/** Which linear maps of a layer have biases. */
public enum Biases {
  /** None. */
  NONE,
  /** Queries, keys and values. */
  QKV,
  /** All maps of the attention: also its projection. */
  ATTENTION,
  /** All maps of the feed-forward part. */
  FEED_FORWARD,
  /** All maps; in a GPT-2 its normalizations too. */
  ALL;

  /** Those of some parts. */
  public static Biases of(boolean attention, boolean feedForward) {
    if (attention) {
      return feedForward ? ALL : ATTENTION;
    }
    return feedForward ? FEED_FORWARD : NONE;
  }

  /** Whether queries, keys and values have them. */
  public boolean qkv() {
    return this == QKV || projection();
  }

  /** Whether the projection after the attention has them. */
  public boolean projection() {
    return this == ATTENTION || this == ALL;
  }

  /** Whether the maps of the feed-forward part have them. */
  public boolean feedForward() {
    return this == FEED_FORWARD || this == ALL;
  }
}
