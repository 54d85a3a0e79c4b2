/**
 * Models → files in the Hugging Face directory layout, and back; files for llama.cpp.
 *
 * <p>What is read: {@code gpt2}, {@code llama}, {@code mistral}, {@code qwen2} and {@code qwen3},
 * in float64, float32, float16 or bfloat16, in one file or several. What is not implemented is
 * refused, by key and value.
 *
 * <p>What others make of the files written here is judged by one command, {@code
 * src/it/interop/run.sh TEXT}: four prompts of 64 greedy tokens, from models of 0.6 to 0.9 M
 * parameters that it trains, here for 120 or 300 steps. How many of the 256 tokens are ours:
 *
 * <table>
 * <caption>llama.cpp (node-llama-cpp 3.22.1) in float32, and Jlama 0.8.4</caption>
 * <tr><th>model</th><th>llama.cpp</th><th>Jlama</th></tr>
 * <tr><td>llama; untied; of characters; linear RoPE scaling</td><td>256 each</td>
 *     <td>256 each</td></tr>
 * <tr><td>llama with the splitting of Llama 3, Qwen 2 or SmolLM</td><td>256 each</td>
 *     <td>256 each</td></tr>
 * <tr><td>llama with biases</td><td>256</td><td>reads no biases</td></tr>
 * <tr><td>llama with Llama-3 RoPE scaling</td><td>256</td>
 *     <td>does not scale: the tokens of the model without it</td></tr>
 * <tr><td>stories260K, pretrained, SentencePiece</td><td>256</td>
 *     <td>wants widths that 8 divides</td></tr>
 * <tr><td>qwen2; qwen3</td><td>256 each</td><td></td></tr>
 * <tr><td>gpt2; untied, without biases; of characters</td><td>256 each</td><td></td></tr>
 * </table>
 *
 * <p>llama.cpp gives 13 texts (code, digits, five scripts, emoji, spelled special tokens; of
 * characters, the 5 that have ids) our ids with every model, and F16 and Q8_0 files load and run.
 * Jlama is given ids: where a tokenizer has GPT-2's form, as ours have, it drops the spaces of a
 * text.
 *
 * <p>Checkpoints of a training are such directories too, with the optimizer's state and digests
 * beside: {@link dev.spatz.checkpoint.RunDirectory}. With Muon one has about 3 times, with AdamW 4
 * times the bytes of the weights (once more while the last steps are averaged): 128 MB, written in
 * a quarter of a second, for 10.6 M parameters.
 */
@NullMarked
package dev.spatz.checkpoint;

import org.jspecify.annotations.NullMarked;
