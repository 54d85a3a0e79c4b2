/** Prompt → next tokens → text: sampling, stopping, streaming. */
@NullMarked
package dev.spatz.generation;

import org.jspecify.annotations.NullMarked;
