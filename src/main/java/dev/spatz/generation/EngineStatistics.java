package dev.spatz.generation;

/**
 * What a model's engine has done so far. The numbers are read one by one while it works.
 *
 * @param running texts that are being written or read
 * @param waiting texts that wait for a place
 * @param steps passes that gave running texts a token each
 * @param promptTokens tokens of prompts and of texts to be read that were taken
 * @param cachedPromptTokens those of them whose keys and values were known from others
 * @param newTokens tokens generated
 * @param prefixCacheBytes memory of beginnings of texts, off the heap
 */
public record EngineStatistics(
    int running,
    int waiting,
    long steps,
    long promptTokens,
    long cachedPromptTokens,
    long newTokens,
    long prefixCacheBytes) {}
