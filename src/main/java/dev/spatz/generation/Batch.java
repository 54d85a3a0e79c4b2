package dev.spatz.generation;

import dev.spatz.kernel.InsufficientMemoryException;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.NativeMemory;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.WeightedAdapter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The texts that are being written and read, and the memory of it. A {@link #step} takes a part of
 * the prompts, reads a part of one text, and then gives a token to each text whose prompt is taken.
 * It belongs to the engine's thread.
 */
final class Batch implements AutoCloseable {
  /** Tokens that are read in a step, while others wait for their next token. */
  private static final int PART = 64;

  /** The same, if nobody waits. */
  private static final int LARGE_PART = 256;

  /** A pass over the weights takes as long for fewer. */
  private static final int LEAST_PART = 16;

  private final ModelParts model;
  private final EngineConfig config;
  private final Reading.Means means;
  private final PackedAdapters adapters;
  private final SpareCaches spares;
  private final List<Slot<Session>> writing = new ArrayList<>();
  private final Deque<Slot<Reading<?>>> reading = new ArrayDeque<>(); // by turns
  private final List<Slot<Session>> decoding = new ArrayList<>();
  private final List<KeyValueCache> caches = new ArrayList<>();
  private long reserved;

  /** The place of a job. */
  private record Slot<J extends Job>(J job, KeyValueCache cache) {}

  Batch(
      ModelParts model,
      Supplier<Decoder> decoders,
      EngineConfig config,
      PrefixCache prefixes,
      EngineCounters counters) {
    this.model = model;
    this.config = config;
    this.adapters = new PackedAdapters(model);
    this.spares = new SpareCaches(model.transformer());
    Kernels kernels = model.kernels().create();
    try {
      this.means = new Reading.Means(kernels, decoders.get(), prefixes, counters);
    } catch (RuntimeException | Error e) {
      kernels.close();
      throw e;
    }
  }

  int size() {
    return writing.size() + reading.size();
  }

  /** Whether there is a place for a job, and all the memory that it may come to need. */
  boolean fits(Job job) {
    return size() < config.mostSequences() && reserved + job.mostBytes() <= config.cacheBytes();
  }

  /** Gives a place to a job; one that there is not enough memory for ends. */
  void add(Job job) {
    spares.shrink(config.cacheBytes() - reserved - job.mostBytes());
    try {
      requireMemory(job);
    } catch (InsufficientMemoryException e) {
      job.fail(e);
      return;
    }
    KeyValueCache cache = spares.take(job.mostTokens());
    if (job instanceof Session session) {
      writing.add(new Slot<>(session, cache));
    } else {
      reading.add(new Slot<>((Reading<?>) job, cache));
    }
    reserved += job.mostBytes();
  }

  /** Makes sure of all that the jobs here may come to need, of which they may have little yet. */
  private void requireMemory(Job job) {
    long needed = reserved - cacheBytes() + job.mostBytes();
    if (spares.bytes() > 0 && !NativeMemory.has(needed)) {
      spares.shrink(0);
    }
    NativeMemory.require(
        needed,
        String.format(
            Locale.ROOT,
            "keys and values of a text of up to %,d tokens beside %,d others",
            job.mostTokens(),
            size()),
        "lower maxNewTokens, or EngineConfig.mostSequences");
  }

  private long cacheBytes() {
    long bytes = 0;
    for (Slot<?> slot : writing) {
      bytes += slot.cache.bytes();
    }
    for (Slot<?> slot : reading) {
      bytes += slot.cache.bytes();
    }
    return bytes;
  }

  /** Frees the places of the jobs that have ended. */
  void removeEnded() {
    writing.removeIf(this::keepAndFreeEnded);
    reading.removeIf(this::freeEnded);
    countMemory(
        cacheBytes(),
        means.decoder().bytes() + means.kernels().bytes() + adapters.bytes() + spares.bytes());
  }

  private void countMemory(long caches, long workspaces) {
    means.counters().cacheBytes().set(caches);
    means.counters().workspaceBytes().set(workspaces);
  }

  /** What was written is likely to begin a further prompt: a conversation's next one. */
  private boolean keepAndFreeEnded(Slot<Session> slot) {
    if (!slot.job.endIfDue()) {
      return false;
    }
    int taken = slot.cache.length();
    if (!isTakingItsPrompt(slot)) {
      try {
        means.prefixes().keep(slot.job.firstIds(taken), slot.job.prompt().length, slot.cache);
      } catch (OutOfMemoryError e) {
        // It would be kept for later texts, and must not end those that are under way.
      }
    }
    return freeEnded(slot);
  }

  private boolean freeEnded(Slot<?> slot) {
    boolean ended = slot.job.endIfDue();
    if (ended) {
      spares.give(slot.cache);
      reserved -= slot.job.mostBytes();
    }
    return ended;
  }

  void step() {
    int part = size() > 1 ? PART : LARGE_PART;
    takePrompts(part);
    Slot<Reading<?>> next = reading.poll();
    if (next != null) {
      reading.add(next);
      read(next, part);
    }
    decode();
  }

  /** First come, first served: a long prompt's next part, or several short prompts. */
  private void takePrompts(int part) {
    int left = part;
    for (Slot<Session> slot : writing) {
      if (left > 0 && isTakingItsPrompt(slot)) {
        int before = slot.cache.length();
        takePrompt(slot, left);
        left -= Math.max(LEAST_PART, slot.cache.length() - before);
      }
    }
  }

  private static boolean isTakingItsPrompt(Slot<Session> slot) {
    return slot.cache.length() < slot.job.prompt().length;
  }

  private void takePrompt(Slot<Session> slot, int most) {
    int[] prompt = slot.job.prompt();
    KeyValueCache cache = slot.cache;
    try {
      if (cache.length() == 0) {
        if (!slot.job.adapters().isEmpty()) {
          cache.adapt(adapters.get(slot.job.adapters(), adaptersInUse()));
        }
        means.prefixes().begin(prompt, cache);
        slot.job.begun(cache.length());
        means.counters().begun(prompt.length, cache.length());
      }
      int from = cache.length();
      int to = (int) Math.min(prompt.length, (long) from + most);
      int[] part = Arrays.copyOfRange(prompt, from, to);
      INDArray logits = means.decoder().accept(means.kernels(), cache, part);
      means.prefixes().keep(prompt, from, cache);
      if (to == prompt.length) {
        draw(slot, logits, 0);
      }
    } catch (RuntimeException | Error e) {
      slot.job.fail(e);
    }
  }

  private Set<List<WeightedAdapter>> adaptersInUse() {
    return writing.stream().map(slot -> slot.job.adapters()).collect(Collectors.toSet());
  }

  private void read(Slot<Reading<?>> slot, int most) {
    try {
      slot.job.read(means, slot.cache, most);
    } catch (RuntimeException | Error e) {
      slot.job.fail(e);
    }
  }

  private void decode() {
    decoding.clear();
    caches.clear();
    for (Slot<Session> slot : writing) {
      if (!isTakingItsPrompt(slot) && !slot.job.isOver()) {
        decoding.add(slot);
        caches.add(slot.cache);
      }
    }
    if (decoding.isEmpty()) {
      return;
    }
    int[] ids = new int[decoding.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = decoding.get(i).job.lastToken();
    }
    INDArray logits = means.decoder().acceptEach(means.kernels(), caches, ids);
    means.counters().steps().incrementAndGet();
    for (int i = 0; i < ids.length; i++) {
      draw(decoding.get(i), logits, i);
    }
  }

  private void draw(Slot<Session> slot, INDArray logits, int row) {
    slot.job.draw(logits, row, slot.cache.room());
    means.counters().newTokens().incrementAndGet();
  }

  @Override
  public void close() {
    writing.forEach(slot -> slot.cache.close());
    reading.forEach(slot -> slot.cache.close());
    means.decoder().close();
    spares.close();
    adapters.close();
    means.kernels().close();
    countMemory(0, 0);
  }
}
