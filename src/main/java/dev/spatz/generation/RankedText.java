package dev.spatz.generation;

/**
 * One of several texts, ranked.
 *
 * @param text the candidate
 * @param index its place among the candidates, from 0
 * @param value what it is ranked by: higher is better
 * @param score of the text after the prefix
 */
public record RankedText(String text, int index, double value, TextScore score) {}
