package dev.spatz.optimizer;

/** The numbers of an optimizer, and so which one it is. */
public sealed interface OptimizerConfig permits AdamWConfig, MuonConfig {}
