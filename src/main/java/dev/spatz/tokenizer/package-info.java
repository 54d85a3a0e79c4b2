/** Text → token ids, and back; learning a vocabulary. */
@NullMarked
package dev.spatz.tokenizer;

import org.jspecify.annotations.NullMarked;
