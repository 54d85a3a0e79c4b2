package dev.spatz.dataset;

/**
 * What a model is taught with, as an application has it: texts, conversations, or pairs of answers.
 */
public sealed interface TrainingSource permits Corpus, Conversations, Preferences {}
