/**
 * Arrays → arrays: the arithmetic, each operation's forward next to its backward.
 *
 * <p>Shapes are written with these letters, here and in every other package:
 *
 * <table>
 * <caption>Letters of shape notes</caption>
 * <tr><th>B</th><td>batch: sequences processed together</td></tr>
 * <tr><th>T</th><td>time: positions of a sequence</td></tr>
 * <tr><th>R</th><td>rows: B·T positions, sequence by sequence</td></tr>
 * <tr><th>C</th><td>channels: width of the residual stream</td></tr>
 * <tr><th>H</th><td>heads: query heads of attention</td></tr>
 * <tr><th>G</th><td>key/value heads (grouped-query attention); G divides H</td></tr>
 * <tr><th>D</th><td>head size</td></tr>
 * <tr><th>F</th><td>feed-forward width</td></tr>
 * <tr><th>V</th><td>vocabulary size</td></tr>
 * <tr><th>L</th><td>layers</td></tr>
 * </table>
 */
@NullMarked
package dev.spatz.kernel;

import org.jspecify.annotations.NullMarked;
