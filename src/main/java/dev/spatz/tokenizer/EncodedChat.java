package dev.spatz.tokenizer;

/**
 * A conversation as token ids.
 *
 * @param ids of all tokens
 * @param byAssistant which of them the model says: the content of its turns, and what ends each
 */
public record EncodedChat(int[] ids, boolean[] byAssistant) {}
