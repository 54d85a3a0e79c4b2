/**
 * Text → token ids, and back; learning a vocabulary.
 *
 * <p>Two judges, {@code src/it/interop/tokenizers/run.sh}, compare ids and decoded text of 540
 * texts (hard ones by hand, and random Unicode) for each of 45 tokenizers:
 *
 * <table>
 * <caption>Hugging Face in Rust (DJL 0.38.0), and npm {@code @huggingface/tokenizers} 0.2.0: how
 * many kinds are the same as here</caption>
 * <tr><th>kinds of {@code tokenizer.json}</th><th>Rust</th><th>npm</th></tr>
 * <tr><td>split as GPT-2, Llama 3, Qwen 2, SmolLM, GPT-4o, BLOOM, DeepSeek, …; 4,000 to 100,000
 *     tokens</td><td>15 of 15</td>
 *     <td>11; the others but for digits beyond ASCII, and U+FEFF</td></tr>
 * <tr><td>{@code Split} of every behavior, also inverted</td><td>10 of 10</td>
 *     <td>4; it lacks the others</td></tr>
 * <tr><td>NFC, NFD, NFKC, NFKD, Lowercase, Strip, Sequence</td><td>7 of 7</td>
 *     <td>4; the others but for final sigma, and U+FEFF</td></tr>
 * <tr><td>added tokens with all 32 sets of flags</td><td>1 of 1</td>
 *     <td>it lacks {@code single_word}</td></tr>
 * <tr><td>TemplateProcessing</td><td>3 of 3</td><td>3</td></tr>
 * <tr><td>SentencePiece's: byte fallback, Metaspace, unknown characters</td><td>7 of 7</td>
 *     <td>4</td></tr>
 * <tr><td>WordLevel</td><td>2 of 2</td><td>it has none</td></tr>
 * </table>
 *
 * <p>How fast one thread encodes, in MB/s, a text with a new tokenizer, and the same 20 times; two
 * cores of an AMD Zen 5 server, medians of one sitting, {@code run.sh speed TEXT…}:
 *
 * <table>
 * <caption>Speed</caption>
 * <tr><th></th><th>here</th><th>jtokkit 1.1.0</th><th>Hugging Face in Rust</th></tr>
 * <tr><td>GPT-2's vocabulary, tinyshakespeare</td><td>91, 107</td><td>26, 28</td>
 *     <td>2.0, 2.0</td></tr>
 * <tr><td>GPT-2's vocabulary, Grimm in German</td><td>65, 71</td><td>19, 19</td>
 *     <td>2.0, 1.9</td></tr>
 * <tr><td>cl100k, tinyshakespeare</td><td>92, 121</td><td>40, 43</td><td>2.0, 2.0</td></tr>
 * <tr><td>cl100k, Grimm (another sitting)</td><td>69, 59</td><td>17, 25</td><td></td></tr>
 * </table>
 */
@NullMarked
package dev.spatz.tokenizer;

import org.jspecify.annotations.NullMarked;
