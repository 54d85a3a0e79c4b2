/** Text files → token files on disk → windows of tokens. */
@NullMarked
package dev.spatz.dataset;

import org.jspecify.annotations.NullMarked;
