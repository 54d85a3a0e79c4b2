/**
 * The door: {@code LanguageModel} trains, saves, loads and generates.
 *
 * <p>The packages below follow the flow: text → {@code tokenizer} → {@code dataset} → {@code
 * transformer} (on {@code kernel}) → {@code training} (with {@code optimizer}) → {@code checkpoint}
 * → {@code generation} → text.
 */
@NullMarked
package dev.spatz;

import org.jspecify.annotations.NullMarked;
