/**
 * Workloads → measurements that users can repeat: training, decoding, tokenizing, and what each
 * choice of the default recipe buys.
 *
 * <p>From the command line, each in a process of its own, so that the peak memory is its own:
 *
 * <pre>{@code
 * mvn -q compile dependency:build-classpath -Dmdep.outputFile=target/classpath
 * java -cp target/classes:$(cat target/classpath) dev.spatz.cli.Main bench train --preset baby
 * java -cp target/classes:$(cat target/classpath) dev.spatz.cli.Main bench decode --preset baby
 * java -cp target/classes:$(cat target/classpath) dev.spatz.cli.Main bench tokenize
 * java -cp target/classes:$(cat target/classpath) dev.spatz.cli.Main bench recipe --seconds 60
 * }</pre>
 *
 * <p>Each line has the median and the shortest time of several repetitions, after others that were
 * not measured. Rates are those of the median; peaks of the machine are those of its best round, so
 * that a fraction of a peak is not flattered by a disturbance while the peak was measured.
 */
@NullMarked
package dev.spatz.bench;

import org.jspecify.annotations.NullMarked;
