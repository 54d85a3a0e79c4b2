package dev.spatz.tokenizer;

/**
 * A rule of byte pair encoding: two neighbouring tokens become the one token whose bytes are theirs
 * joined. Its rank is its place in the list of merges; the lowest rank goes first.
 *
 * @param left id of the first token
 * @param right id of the second token
 */
public record Merge(int left, int right) {}
