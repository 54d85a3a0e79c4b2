/** Progress of a training → metrics file, page, meters and flight-recorder events. */
@NullMarked
package dev.spatz.report;

import org.jspecify.annotations.NullMarked;
