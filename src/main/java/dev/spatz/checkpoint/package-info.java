/** Models → files in the Hugging Face directory layout, and back. */
@NullMarked
package dev.spatz.checkpoint;

import org.jspecify.annotations.NullMarked;
