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
 * settings found), in turn, medians; float32 training in later sittings than the rest. The machine
 * is shared: between sittings PyTorch's own speed differed by a third, and the ratios with it.
 *
 * <table>
 * <caption>Training</caption>
 * <tr><th>preset, precision</th><th>here</th><th>PyTorch</th><th>ratio</th>
 *     <th>in earlier sittings</th></tr>
 * <tr><td>{@code cpu}, float32</td><td>62,300</td><td>47,266</td><td>1.32</td>
 *     <td>1.35, 1.30, 1.22, 1.50</td></tr>
 * <tr><td>{@code baby}, float32</td><td>5,865 in 1,432 MiB</td><td>4,571 in 3,347 MB</td>
 *     <td>1.28</td><td>1.32, 1.56</td></tr>
 * <tr><td>{@code baby}, bfloat16</td><td>9,320</td><td>7,118</td><td>1.31</td><td>1.26</td></tr>
 * <tr><td>{@code gpt2}, float32</td><td>535</td><td>425</td><td>1.26</td><td>1.11, 1.33, 1.16</td></tr>
 * <tr><td>{@code gpt2}, bfloat16</td><td>876</td><td>659</td><td>1.33</td><td>1.62, 1.22</td></tr>
 * </table>
 *
 * <p>A step's operations, nanoGPT's count, come at 86 to 91 % of the rate of a lone product ({@code
 * gpt2}, {@code baby}). Of a step of {@code gpt2} 87 % are products outside attention, 5 %
 * attention, 4 % AdamW; of one of {@code baby} 82 %, 11 %, less than 1 %, and 3 % GELU; of one of
 * {@code cpu} 67 %, 16 %, 4 % and 6 %.
 *
 * <table>
 * <caption>Writing one text in float32</caption>
 * <tr><th>preset</th><th>here</th><th>PyTorch</th><th>ratio</th></tr>
 * <tr><td>{@code cpu}</td><td>17,075</td><td>4,290</td><td>3.98 (earlier 3.61)</td></tr>
 * <tr><td>{@code baby}</td><td>1,365</td><td>890</td><td>1.53 (1.63)</td></tr>
 * <tr><td>{@code gpt2}</td><td>75</td><td>76</td><td>0.99 (1.31)</td></tr>
 * </table>
 *
 * <p>{@code gpt2} reads its weights at 93 to 97 % of the bandwidth that {@code bench decode}
 * measures beside it: 84 tokens a second in float32, 154 in bfloat16 (1.83 times), 229 in int8
 * (2.77 times), medians of three rounds in turn.
 *
 * <p>Callers of {@code baby}, by {@code bench serve}: eight together get 3.4 times the tokens of a
 * lone one (3.3 to 3.7 in nine runs, about 4,700 a second); a newcomer among them waits 1.0 steps
 * longer for its first token than when idle; a regular expression takes 1.03 times the time
 * without. By {@code bench decode --sequences 8}, without prompts and all that belongs to a text,
 * it is 3.9 times (3.5 to 4.3, five runs): 5,680 tokens a second beside 1,450. A thread reads the
 * weights of eight rows and multiplies with them one after the other, and keys and values come from
 * beyond the caches: of a pass of 1.4 ms, 0.8 are products, 0.4 attention, 0.1 what one thread does
 * between them.
 *
 * <p>A prompt of 1,024 tokens takes 84 µs a token with a model of that shape, one of 256 tokens 68
 * µs.
 *
 * <p>While two other processes keep both cores busy, training keeps 48 % ({@code cpu}) and 50 %
 * ({@code baby}) of its speed; PyTorch 38 % of {@code baby}, and of {@code cpu} less than 6 % (300
 * steps did not end in 90 s). Writing keeps 52 % ({@code cpu}, median of 5 runs, of 34 to 64 %) and
 * 38 % ({@code baby}, of 6, of 36 to 42 %), mostly by one thread: its fair share, two thirds of a
 * core, is 38 % of two threads' speed there.
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
