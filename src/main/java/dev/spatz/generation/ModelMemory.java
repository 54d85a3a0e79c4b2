package dev.spatz.generation;

import dev.spatz.kernel.NativeMemory;
import java.util.Locale;

/**
 * The memory off the heap that a model takes now, in bytes. What an evaluation or a training works
 * in comes on top while it is under way.
 *
 * @param weights in float32, and what rotary positions need
 * @param packedWeights the matrices once more, as they are read fastest in the precision of {@link
 *     LoadOptions}; 0 until the first text
 * @param keyValueCaches of the texts that are being written
 * @param prefixCache of beginnings of texts
 * @param workspaces of the threads that write, and the caches of ended texts that the next ones
 *     take over; 0 when there was nothing to write for a while
 */
public record ModelMemory(
    long weights, long packedWeights, long keyValueCaches, long prefixCache, long workspaces) {

  /** All of it. */
  public long total() {
    return weights + packedWeights + keyValueCaches + prefixCache + workspaces;
  }

  /** The total and its parts, for people. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s: weights %s, packed weights %s, key/value caches %s, prefix cache %s, workspaces %s",
        NativeMemory.format(total()),
        NativeMemory.format(weights),
        NativeMemory.format(packedWeights),
        NativeMemory.format(keyValueCaches),
        NativeMemory.format(prefixCache),
        NativeMemory.format(workspaces));
  }
}
