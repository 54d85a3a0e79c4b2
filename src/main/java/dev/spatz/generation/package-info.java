/** Prompt → next tokens → text: sampling and stopping. */
@NullMarked
package dev.spatz.generation;

import org.jspecify.annotations.NullMarked;
