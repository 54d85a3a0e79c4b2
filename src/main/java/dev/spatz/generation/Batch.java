package dev.spatz.generation;

import dev.spatz.kernel.Kernels;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The texts that are being written, and the memory of it. A {@link #step} takes a part of one
 * prompt, and then gives a token to each text whose prompt is taken. It belongs to the engine's
 * thread.
 */
final class Batch implements AutoCloseable {
  /** Tokens of a prompt that are taken in a step, while others wait for their next token. */
  private static final int PART = 64;

  /** The same, if nobody waits. */
  private static final int LARGE_PART = 256;

  private final ModelParts model;
  private final EngineConfig config;
  private final PrefixCache prefixes;
  private final Counters counters;
  private final Kernels kernels;
  private final Decoder decoder;
  private final List<Slot> slots = new ArrayList<>();
  private final List<Slot> decoding = new ArrayList<>();
  private final List<KeyValueCache> caches = new ArrayList<>();
  private long reserved;

  /** What an engine has done, over all its batches. */
  record Counters(
      AtomicLong steps, AtomicLong promptTokens, AtomicLong cachedTokens, AtomicLong newTokens) {
    Counters() {
      this(new AtomicLong(), new AtomicLong(), new AtomicLong(), new AtomicLong());
    }
  }

  /** The place of a text. */
  private record Slot(Session session, KeyValueCache cache, long bytes) {
    boolean isTakingItsPrompt() {
      return cache.length() < session.prompt().length;
    }
  }

  Batch(
      ModelParts model,
      Supplier<Decoder> decoders,
      EngineConfig config,
      PrefixCache prefixes,
      Counters counters) {
    this.model = model;
    this.config = config;
    this.prefixes = prefixes;
    this.counters = counters;
    this.kernels = model.kernels().create();
    this.decoder = decoders.get();
  }

  int size() {
    return slots.size();
  }

  /** Whether there is a place for a text, and all the memory that it may come to need. */
  boolean fits(Session session) {
    return slots.size() < config.mostSequences()
        && reserved + session.mostBytes() <= config.cacheBytes();
  }

  void add(Session session) {
    KeyValueCache cache = model.transformer().cache(session.mostTokens());
    slots.add(new Slot(session, cache, session.mostBytes()));
    reserved += session.mostBytes();
  }

  /** Frees the places of the texts that have ended. */
  void removeEnded() {
    for (int i = slots.size() - 1; i >= 0; i--) {
      if (slots.get(i).session.endIfDue()) {
        Slot slot = slots.remove(i);
        slot.cache.close();
        reserved -= slot.bytes;
      }
    }
  }

  /** Ends all texts. */
  void fail(Throwable cause) {
    slots.forEach(slot -> slot.session.fail(cause));
    removeEnded();
  }

  void step() {
    Slot newcomer = firstTakingItsPrompt();
    if (newcomer != null) {
      takePrompt(newcomer);
    }
    decode();
  }

  private @Nullable Slot firstTakingItsPrompt() {
    for (Slot slot : slots) {
      if (slot.isTakingItsPrompt()) {
        return slot;
      }
    }
    return null;
  }

  private void takePrompt(Slot slot) {
    int[] prompt = slot.session.prompt();
    KeyValueCache cache = slot.cache;
    try {
      if (cache.length() == 0) {
        prefixes.begin(prompt, cache);
        slot.session.begun(cache.length());
        counters.promptTokens.addAndGet(prompt.length);
        counters.cachedTokens.addAndGet(cache.length());
      }
      int from = cache.length();
      int part = slots.size() > 1 ? PART : LARGE_PART;
      int to = (int) Math.min(prompt.length, (long) from + part);
      INDArray logits = decoder.accept(kernels, cache, Arrays.copyOfRange(prompt, from, to));
      prefixes.keep(prompt, from, cache);
      if (to == prompt.length) {
        draw(slot, logits, 0);
      }
    } catch (RuntimeException | Error e) {
      slot.session.fail(e);
    }
  }

  private void decode() {
    decoding.clear();
    caches.clear();
    for (Slot slot : slots) {
      if (!slot.isTakingItsPrompt() && !slot.session.isOver()) {
        decoding.add(slot);
        caches.add(slot.cache);
      }
    }
    if (decoding.isEmpty()) {
      return;
    }
    int[] ids = new int[decoding.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = decoding.get(i).session.lastToken();
    }
    INDArray logits = decoder.acceptEach(kernels, caches, ids);
    counters.steps.incrementAndGet();
    for (int i = 0; i < ids.length; i++) {
      draw(decoding.get(i), logits, i);
    }
  }

  private void draw(Slot slot, INDArray logits, int row) {
    slot.session.draw(logits, row, slot.cache.room());
    counters.newTokens.incrementAndGet();
  }

  @Override
  public void close() {
    slots.forEach(slot -> slot.cache.close());
    slots.clear();
    decoder.close();
    kernels.close();
  }
}
