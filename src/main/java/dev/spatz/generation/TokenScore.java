package dev.spatz.generation;

/**
 * A token and how likely the model finds it after the text before it.
 *
 * @param id token id
 * @param text what it spells alone; U+FFFD where it ends inside a character
 * @param logProbability natural logarithm of the model's own probability: temperature 1, and none
 *     of a configuration's other steps
 */
public record TokenScore(int id, String text, double logProbability) {}
