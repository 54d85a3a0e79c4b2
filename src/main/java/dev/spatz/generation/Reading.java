package dev.spatz.generation;

import dev.spatz.kernel.Kernels;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Texts that the engine reads, and writes nothing to: a part at a time, between the steps of the
 * texts that are being written.
 */
abstract sealed class Reading<T> implements Job permits Scoring, Embedding {
  private final int mostTokens;
  private final long mostBytes;
  final CompletableFuture<T> result = new CompletableFuture<>();

  /**
   * A reading that is not yet given to the engine.
   *
   * @param mostTokens of a text that pass through the model
   * @throws IllegalArgumentException if they exceed the context
   */
  Reading(ModelParts model, int mostTokens) {
    int contextLength = model.transformer().config().contextLength();
    if (mostTokens > contextLength) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a text of %,d tokens, with what comes before it, exceeds the contextLength (%,d);"
                  + " give it in parts (evaluate walks a long text in windows)",
              mostTokens,
              contextLength));
    }
    this.mostTokens = mostTokens;
    this.mostBytes = model.transformer().cacheBytes(mostTokens);
  }

  /** What reading needs of the engine. */
  record Means(Kernels kernels, Decoder decoder, PrefixCache prefixes, EngineCounters counters) {}

  /** Reads up to {@code most} more tokens; completes the result after the last. */
  abstract void read(Means means, KeyValueCache cache, int most);

  /**
   * Waits for the engine, which has it.
   *
   * @throws CancellationException if the thread is interrupted, which stays so
   */
  T await(Engine engine) {
    try {
      return result.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("the thread was interrupted while a text was read");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    } finally {
      result.cancel(false);
      engine.withdraw(this);
    }
  }

  @Override
  public int mostTokens() {
    return mostTokens;
  }

  @Override
  public long mostBytes() {
    return mostBytes;
  }

  @Override
  public boolean isOver() {
    return result.isDone();
  }

  @Override
  public boolean endIfDue() {
    return result.isDone();
  }

  @Override
  public void fail(Throwable cause) {
    result.completeExceptionally(cause);
  }
}
