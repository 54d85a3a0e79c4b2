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
 */
@NullMarked
package dev.spatz.training;

import org.jspecify.annotations.NullMarked;
