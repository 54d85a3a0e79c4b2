/** Batches → trained weights: batch, forward, backward, clip, update, evaluate, report. */
@NullMarked
package dev.spatz.training;

import org.jspecify.annotations.NullMarked;
