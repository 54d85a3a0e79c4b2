/** Gradients → better weights; learning-rate schedules. */
@NullMarked
package dev.spatz.optimizer;

import org.jspecify.annotations.NullMarked;
