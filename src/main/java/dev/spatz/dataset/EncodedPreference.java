package dev.spatz.dataset;

/**
 * Two answers to one prompt, each an example with the prompt before it, of which the answer alone
 * is predicted.
 *
 * @param chosen the better one
 * @param rejected the worse one
 */
public record EncodedPreference(EncodedExample chosen, EncodedExample rejected) {}
