/** Command-line arguments → calls of {@code LanguageModel} → what a person reads. */
@NullMarked
package dev.spatz.cli;

import org.jspecify.annotations.NullMarked;
