package dev.spatz.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Encodes texts with several threads, each of which takes the next text that none has taken. */
final class BatchEncoder {
  private final Tokenizer tokenizer;
  private final CharSequence[] texts;
  private final int @Nullable [][] ids;
  private final @Nullable Throwable[] faults;
  private final AtomicInteger next = new AtomicInteger();

  private BatchEncoder(Tokenizer tokenizer, List<? extends CharSequence> texts) {
    this.tokenizer = tokenizer;
    this.texts = texts.toArray(CharSequence[]::new);
    ids = new int[this.texts.length][];
    faults = new Throwable[this.texts.length];
  }

  static List<int[]> encode(Tokenizer tokenizer, List<? extends CharSequence> texts, int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads (" + threads + ") must be at least 1");
    }
    BatchEncoder batch = new BatchEncoder(tokenizer, texts);
    List<Thread> helpers = new ArrayList<>();
    for (int i = 1; i < Math.min(threads, texts.size()); i++) {
      Thread helper = new Thread(batch::run, "spatz-tokenizer");
      helper.setDaemon(true);
      helper.start();
      helpers.add(helper);
    }
    batch.run();
    helpers.forEach(BatchEncoder::join);
    return batch.result();
  }

  private void run() {
    for (int i = next.getAndIncrement(); i < texts.length; i = next.getAndIncrement()) {
      try {
        ids[i] = tokenizer.encode(texts[i]);
      } catch (RuntimeException | Error e) {
        faults[i] = e;
        next.set(texts.length);
      }
    }
  }

  /** Waits also where the caller is interrupted, which it is told afterwards. */
  private static void join(Thread helper) {
    boolean interrupted = false;
    while (true) {
      try {
        helper.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private List<int[]> result() {
    for (Throwable fault : faults) {
      if (fault instanceof RuntimeException e) {
        throw e;
      } else if (fault instanceof Error e) {
        throw e;
      }
    }
    return Arrays.asList(ids);
  }
}
