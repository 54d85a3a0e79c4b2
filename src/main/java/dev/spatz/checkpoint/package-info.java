/** Model and training state ↔ files in the Hugging Face directory layout. */
@NullMarked
package dev.spatz.checkpoint;

import org.jspecify.annotations.NullMarked;
