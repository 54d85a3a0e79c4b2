/**
 * Texts, conversations, pairs of answers → tokens on disk → windows of them, or packed examples.
 */
@NullMarked
package dev.spatz.dataset;

import org.jspecify.annotations.NullMarked;
