/** Batches → logits and loss, and back to gradients; parameters and key/value caches. */
@NullMarked
package dev.spatz.transformer;

import org.jspecify.annotations.NullMarked;
