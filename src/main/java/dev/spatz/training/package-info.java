/**
 * Batches → trained weights: batch, forward, backward, clip, update, evaluate, report.
 *
 * <p>How the defaults were chosen: bits a byte on WordNet's definitions (2 % for validation, seed
 * 1, one run each), after 62 to 82 s on one core of an Intel Sapphire Rapids in float32 while
 * another run used the other core. Context 64, 3 layers, Muon with a rate of 0.02 for the linear
 * maps; differences below 0.01 mean nothing.
 *
 * <table>
 * <caption>What each choice buys</caption>
 * <tr><th>vocabulary, channels</th><th>steps × tokens</th><th>rate of the rest</th>
 *     <th>decay</th><th>bits a byte</th></tr>
 * <tr><td>8,192, 192</td><td>330 × 1,024</td><td>0.004</td><td>fifth, to 10 %</td>
 *     <td>2.085</td></tr>
 * <tr><td>4,096, 128</td><td>1,300 × 512</td><td>0.004</td><td>fifth, to 10 %</td>
 *     <td>2.074</td></tr>
 * <tr><td>2,048, 128</td><td>850 × 1,024</td><td>0.008</td><td>fifth, to 10 %</td>
 *     <td>2.026</td></tr>
 * <tr><td>4,096, 128</td><td>700 × 1,024</td><td>0.004</td><td>fifth, to 10 %</td>
 *     <td>2.013</td></tr>
 * <tr><td>4,096, 128, ends of branches zero at first</td><td>700 × 1,024</td><td>0.008</td>
 *     <td>fifth, to 10 %</td><td>1.995</td></tr>
 * <tr><td>4,096, 128</td><td>700 × 1,024</td><td>0.008</td><td>fifth, to 10 %</td>
 *     <td>1.991</td></tr>
 * <tr><td>4,096, 128</td><td>700 × 1,024</td><td>0.008</td><td>half, to 1 %</td>
 *     <td>1.969</td></tr>
 * <tr><td>4,096, 128, in 131 s</td><td>1,250 × 1,024</td><td>0.008</td><td>half, to 1 %</td>
 *     <td>1.858</td></tr>
 * </table>
 *
 * <p>And then, all with 820,000 tokens, a vocabulary of 4,096, context 64, 128 channels, decay over
 * the last half to 1 %, without averaging; bfloat16 on one core of an AMD Zen 4 that did other
 * things too, so that tokens are counted, not time. Rates are Muon's and that of the rest.
 *
 * <table>
 * <caption>What each choice buys</caption>
 * <tr><th>choice</th><th>steps × tokens</th><th>rates</th><th>bits a byte</th></tr>
 * <tr><td>as before</td><td>800 × 1,024</td><td>0.02, 0.008</td><td>1.947</td></tr>
 * <tr><td>twice the batch</td><td>400 × 2,048</td><td>0.02, 0.008</td><td>1.943</td></tr>
 * <tr><td>the same</td><td>400 × 2,048</td><td>0.03, 0.012</td><td>1.948</td></tr>
 * <tr><td>+ no weight decay</td><td>400 × 2,048</td><td>0.03, 0.012</td><td>1.965</td></tr>
 * <tr><td>+ head of its own</td><td>400 × 2,048</td><td>0.03, 0.012</td><td>1.921</td></tr>
 * <tr><td>+ Muon's momentum 0.9</td><td>400 × 2,048</td><td>0.03, 0.012</td><td>1.918</td></tr>
 * <tr><td>+ AdamW's 0.8 and 0.98</td><td>400 × 2,048</td><td>0.03, 0.012</td><td>1.925</td></tr>
 * <tr><td>+ all three and qwen3</td><td>400 × 2,048</td><td>0.03, 0.012</td><td>1.876</td></tr>
 * <tr><td>the same, context 128</td><td>400 × 2,048</td><td>0.03, 0.012</td><td>1.873</td></tr>
 * <tr><td>the same</td><td>400 × 2,048</td><td>0.024, 0.016</td><td>1.843</td></tr>
 * <tr><td>momentum 0.85, AdamW's 0.95</td><td>400 × 2,048</td><td>0.02, 0.016</td>
 *     <td>1.843</td></tr>
 * <tr><td>the same, 2 layers of 192 channels, a third slower</td><td>400 × 2,048</td>
 *     <td>0.02, 0.016</td><td>1.825</td></tr>
 * <tr><td>momentum 0.85, averaged</td><td>1,500 × 2,048</td><td>0.02, 0.016</td><td>1.662</td></tr>
 * <tr><td>momentum 0.9, averaged, a fifth faster</td><td>750 × 4,096</td><td>0.025, 0.02</td>
 *     <td>1.660</td></tr>
 * <tr><td>momentum 0.95, averaged</td><td>1,500 × 2,048</td><td>0.02, 0.016</td><td>1.661</td></tr>
 * </table>
 *
 * <p>And with these defaults, seed 1, one run each, on two undisturbed cores of an AMD Zen 4 in
 * bfloat16: a wider model gains a little where the vocabulary is large and there is time, and loses
 * as much on characters.
 *
 * <table>
 * <caption>What width buys at equal time</caption>
 * <tr><th>text, time budget</th><th>layers × channels</th><th>steps</th><th>loss</th></tr>
 * <tr><td>WordNet, 150 s</td><td>3 × 128</td><td>1,789</td><td>1.579 bits a byte</td></tr>
 * <tr><td>WordNet, 150 s</td><td>2 × 192</td><td>1,312</td><td>1.565 bits a byte</td></tr>
 * <tr><td>tinyshakespeare, 56 s</td><td>3 × 128</td><td>808</td><td>1.524 nats a character</td></tr>
 * <tr><td>tinyshakespeare, 56 s</td><td>2 × 192</td><td>609</td><td>1.539 nats a character</td></tr>
 * </table>
 *
 * <p>What each choice of these defaults buys at equal time, by {@code bench recipe --seconds 30}:
 * the steps that fit into 30 s on two undisturbed cores of an AMD Zen 5 (timed together, in
 * rounds), seeds 1 to 3, bits a byte with 95 % confidence intervals (Student's t, differences
 * paired by seed); WordNet's definitions by byte pairs, tinyshakespeare by characters.
 *
 * <table>
 * <caption>Bits a byte more than the defaults, in brackets the steps</caption>
 * <tr><th>otherwise</th><th>WordNet</th><th>tinyshakespeare</th></tr>
 * <tr><td>the defaults themselves</td><td>1.7516 ± 0.0037 (364)</td>
 *     <td>2.2302 ± 0.0114 (571)</td></tr>
 * <tr><td>AdamW instead of Muon</td><td>+0.3343 ± 0.1238 (383)</td>
 *     <td>+0.1318 ± 0.0116 (617)</td></tr>
 * <tr><td>half the batch</td><td>+0.0151 ± 0.0097 (684)</td>
 *     <td>+0.0112 ± 0.0416 (1,021)</td></tr>
 * <tr><td>twice the batch</td><td>−0.0002 ± 0.0056 (195)</td>
 *     <td>+0.0260 ± 0.0057 (304)</td></tr>
 * <tr><td>ends of branches zero at first</td><td>−0.0053 ± 0.0156 (364)</td>
 *     <td>+0.0008 ± 0.0090 (571)</td></tr>
 * <tr><td>not averaged</td><td>0.0000 ± 0.0000 (364)</td><td>−0.0001 ± 0.0038 (571)</td></tr>
 * <tr><td>cosine to a tenth</td><td>−0.0036 ± 0.0013 (364)</td>
 *     <td>−0.0069 ± 0.0102 (571)</td></tr>
 * <tr><td>queries and keys not normalized</td><td>−0.0049 ± 0.0026 (405)</td>
 *     <td>−0.0113 ± 0.0214 (649)</td></tr>
 * </table>
 *
 * <p>Muon is what counts, and then the batch. The last two gain at most half a hundredth where it
 * is certain, and less than the seeds differ on characters: the stable phase stays, since a run on
 * it can be lengthened, and so does the normalization, which bears higher rates (above) and costs
 * an eighth of a step. Averaging takes the better of both weights, and gains nothing in so short a
 * run.
 */
@NullMarked
package dev.spatz.training;

import org.jspecify.annotations.NullMarked;
