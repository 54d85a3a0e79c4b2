/**
 * Workloads → measurements that users can repeat: training, decoding, many callers, tokenizing, and
 * what each choice of the default recipe buys.
 *
 * <p>From the command line, each in a process of its own, so that the peak memory is its own:
 *
 * <pre>{@code
 * mvn -q compile dependency:build-classpath -Dmdep.outputFile=target/classpath
 * java -cp target/classes:$(cat target/classpath) dev.spatz.cli.Main bench train --preset baby
 * java -cp target/classes:$(cat target/classpath) dev.spatz.cli.Main bench decode --preset baby
 * java -cp target/classes:$(cat target/classpath) dev.spatz.cli.Main bench serve --preset baby
 * java -cp target/classes:$(cat target/classpath) dev.spatz.cli.Main bench tokenize
 * java -cp target/classes:$(cat target/classpath) dev.spatz.cli.Main bench recipe --seconds 60
 * }</pre>
 *
 * <p>Each line has the median and the shortest time of several repetitions, after others that were
 * not measured. Rates are those of the median; peaks of the machine are those of its best round, so
 * that a fraction of a peak is not flattered by a disturbance while the peak was measured.
 *
 * <p>What was measured, tokens a second with two threads of a shared AMD Zen 5 server (float32
 * products 414 to 487 GFLOP/s, bfloat16 940), beside PyTorch 2.10 (libtorch, the fastest of its
 * settings found), in turn, medians, in several sittings. The machine is shared: between sittings
 * PyTorch's own speed differed by a third, and the ratios with it.
 *
 * <table>
 * <caption>Training</caption>
 * <tr><th>preset, precision</th><th>here</th><th>PyTorch</th><th>ratio</th>
 *     <th>in earlier sittings</th></tr>
 * <tr><td>{@code cpu}, float32</td><td>68,300</td><td>35,300</td><td>1.93</td>
 *     <td>1.32, 1.35, 1.30, 1.22, 1.50</td></tr>
 * <tr><td>{@code baby}, float32</td><td>6,150 in 1,390 MiB</td><td>4,340 in 3,347 MB</td>
 *     <td>1.42</td><td>1.28, 1.32, 1.56</td></tr>
 * <tr><td>{@code baby}, bfloat16</td><td>11,200</td><td>8,050</td><td>1.39</td>
 *     <td>1.31, 1.26</td></tr>
 * <tr><td>{@code gpt2}, float32</td><td>553</td><td>465</td><td>1.19</td>
 *     <td>1.26, 1.11, 1.33, 1.16</td></tr>
 * <tr><td>{@code gpt2}, bfloat16</td><td>966</td><td>713</td><td>1.35</td>
 *     <td>1.33, 1.62, 1.22</td></tr>
 * </table>
 *
 * <p>How fast PyTorch trains {@code cpu} depends on where the server has its two processors, see
 * below: near each other 50,100 tokens a second, where Spatz does 69,500 (1.39), else 34,700 and
 * 66,300. Spatz' threads wait for each other only three times a step. Arrays that begin at lines of
 * the cache made {@code gpt2} 5 % faster, {@code baby} 3 % and {@code cpu} 1 %, threads that need
 * not be woken within a step {@code cpu} 2 %.
 *
 * <p>A step's operations, nanoGPT's count, come at 88 to 92 % of the rate of a lone product ({@code
 * gpt2}, {@code baby}), of {@code cpu} at 75 %. Of a step of {@code gpt2} 87 % are products outside
 * attention, 5 % attention, 4 % AdamW; of one of {@code baby} 83 %, 11 %, less than 1 %, and 3 %
 * GELU; of one of {@code cpu} 68 %, 15 %, 3 % and 6 %.
 *
 * <table>
 * <caption>Writing one text in float32</caption>
 * <tr><th>preset</th><th>here</th><th>PyTorch</th><th>ratio</th></tr>
 * <tr><td>{@code cpu}</td><td>11,710</td><td>3,617</td><td>3.24 (earlier 3.98, 3.61)</td></tr>
 * <tr><td>{@code baby}</td><td>1,611</td><td>877</td><td>1.84 (1.53, 1.63)</td></tr>
 * <tr><td>{@code gpt2}</td><td>84</td><td>79</td><td>1.06 (0.99, 1.31)</td></tr>
 * </table>
 *
 * <p>The server moves its two processors about: near each other a cache line goes to and fro in 0.1
 * µs, else in 0.4 µs, and each seems to have a last-level cache and a way to memory of its own.
 * Near, {@code cpu} is written at 17,400 tokens a second, {@code baby} at 1,500 and {@code gpt2} at
 * 88; far at 11,500, 1,630 and 125.
 *
 * <p>{@code gpt2} reads its weights at 96 to 104 % of the bandwidth that {@code bench decode}
 * measures beside it: 86 tokens a second in float32, 155 in bfloat16 (1.80 times), 227 in int8
 * (2.64 times), medians of three rounds in turn with the processors mostly near each other. Far it
 * is 125 to 132, 157 to 202 and 247.
 *
 * <p>Callers of {@code baby}, by {@code bench serve}: eight together get 3.2 times the tokens of a
 * lone one (2.7 to 3.7 in six runs, about 4,900 a second); a newcomer among them waits 1.0 to 1.2
 * steps longer for its first token than when idle; a regular expression takes 1.02 times the time
 * without. By {@code bench decode --sequences}, without prompts and all that belongs to a text, two
 * sequences get 2,590 tokens a second, four 4,210 and eight 5,480, 3.5 times the 1,580 of one. A
 * thread reads the weights of eight rows and multiplies with them one after the other, and keys and
 * values come from beyond the caches: of a pass of 1.4 ms, 0.8 are products, 0.4 attention, 0.1
 * what one thread does between them. All that it reads is 60 MB, 1.2 ms at the speed of memory.
 *
 * <p>A prompt of 1,024 tokens takes 84 µs a token with a model of that shape, one of 256 tokens 68
 * µs.
 *
 * <p>While two other processes keep both cores busy, training keeps 49 % ({@code cpu}) and 50 %
 * ({@code baby}) of its speed; PyTorch 38 % of {@code baby}, and of {@code cpu} less than 6 % (300
 * steps did not end in 90 s). Writing keeps 78 % ({@code cpu}, of 3 runs, of 74 to 79 %) and 41 %
 * ({@code baby}, 644 of 1,581 tokens a second, medians of 21 runs each; run by run 30 to 47 %,
 * median 39 %), by one thread that has its fair share, two thirds of a core.
 *
 * <p>From the start of a JVM to the first token of a saved model of 10.8 M parameters: 0.90 s, the
 * median of 9.
 *
 * <p>What weights in other precisions cost, by {@code evaluate DIR FILE --compare-precisions}:
 *
 * <table>
 * <caption>Perplexity</caption>
 * <tr><th></th><th>float32</th><th>bfloat16</th><th>int8</th></tr>
 * <tr><td>nanoGPT's run on a CPU, its validation text</td><td>6.9882</td><td>6.9881</td>
 *     <td>6.9877</td></tr>
 * <tr><td>stories260K (llama2.c), a story of its own</td><td>1.6078</td><td>1.6071</td>
 *     <td>1.6131 (+0.33 %)</td></tr>
 * <tr><td>stories260K, Shakespeare</td><td>139.20</td><td>139.39 (+0.13 %)</td>
 *     <td>139.10</td></tr>
 * </table>
 *
 * <p>Training in bfloat16 costs no quality that shows: nanoGPT's run on a CPU ends at 1.897, 1.893
 * and 1.905 (seeds 1 to 3) with either precision.
 */
@NullMarked
package dev.spatz.bench;

import org.jspecify.annotations.NullMarked;
