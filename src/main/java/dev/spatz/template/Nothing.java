package dev.spatz.template;

/** Values that are none. */
enum Nothing {
  /** The value {@code none}. */
  NONE,
  /** What has no value: false, empty, and an error where a value is needed. */
  UNDEFINED
}
