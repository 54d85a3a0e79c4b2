/** A form that a text must have → which tokens may come next. */
@NullMarked
package dev.spatz.constraint;

import org.jspecify.annotations.NullMarked;
