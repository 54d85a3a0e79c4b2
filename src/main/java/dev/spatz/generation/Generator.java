package dev.spatz.generation;

import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Continues prompts with a model. Many threads may call it at once. */
public final class Generator implements AutoCloseable {
  private static final int MOST_WAITING = 1024;

  private final ModelParts model;
  private final PackedDecoders decoders;
  private final LongSupplier nanoTime;
  private final ThreadPoolExecutor threads;

  /** A generator for a model; the caller closes it, before the transformer. */
  public Generator(ModelParts model) {
    this(model, System::nanoTime, Runtime.getRuntime().availableProcessors(), MOST_WAITING);
  }

  Generator(ModelParts model, LongSupplier nanoTime, int mostThreads, int mostWaiting) {
    this.model = model;
    this.decoders = new PackedDecoders(model);
    this.nanoTime = nanoTime;
    this.threads =
        new ThreadPoolExecutor(
            mostThreads,
            mostThreads,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(mostWaiting),
            task -> {
              Thread thread = new Thread(task, "spatz-generation");
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
  }

  /**
   * Continues a prompt on the calling thread.
   *
   * @param listener is told each piece of text, whole characters, as soon as it is certain; what it
   *     throws ends the text and is thrown
   * @throws IllegalArgumentException if the prompt leaves no room in the context or cannot be
   *     encoded, or the configuration names an id outside the vocabulary
   * @throws IllegalStateException if the model is closed
   */
  public Generation generate(String prompt, GenerationConfig config, Consumer<String> listener) {
    try (Session session = session(prompt, config)) {
      return run(session, listener);
    }
  }

  /**
   * Continues a prompt, piece by piece.
   *
   * @return a text that the caller closes
   * @throws IllegalArgumentException as {@link #generate}
   * @throws IllegalStateException if the model is closed
   */
  public TextStream stream(String prompt, GenerationConfig config) {
    return new TextStream(session(prompt, config));
  }

  /**
   * Continues a prompt on a daemon thread; there are as many as processors, and who comes later
   * waits in turn.
   *
   * @return whose cancellation ends the text before its next token, or frees its place in the queue
   * @throws IllegalArgumentException as {@link #generate}
   * @throws IllegalStateException if the model is closed
   * @throws RejectedExecutionException if too many wait
   */
  public CompletableFuture<Generation> generateAsync(String prompt, GenerationConfig config) {
    Session session = session(prompt, config);
    CompletableFuture<Generation> future = new CompletableFuture<>();
    Runnable task =
        () -> {
          try (session) {
            future.complete(run(session, piece -> {}));
          } catch (Throwable e) {
            future.completeExceptionally(e);
          }
        };
    try {
      threads.execute(task);
    } catch (RejectedExecutionException e) {
      model.lifetime().whileOpen(() -> null); // closed, perhaps
      throw new RejectedExecutionException(
          String.format(
              Locale.ROOT,
              "%,d generations wait already; try later, or generate on a thread of your own",
              threads.getQueue().size()),
          e);
    }
    future.whenComplete(
        (generation, failure) -> {
          session.cancel();
          threads.remove(task);
        });
    return future;
  }

  private static Generation run(Session session, Consumer<String> listener) {
    for (String piece = session.next(); piece != null; piece = session.next()) {
      listener.accept(piece);
    }
    return session.result();
  }

  private Session session(String prompt, GenerationConfig config) {
    return model
        .lifetime()
        .whileOpen(() -> new Session(model, decoders, model.promptIds(prompt), config, nanoTime));
  }

  /** Bytes of the packed weights, 0 until the first text. */
  public long packedBytes() {
    return decoders.bytes();
  }

  /**
   * Ends the model's lifetime, after the calls under way, and the threads; texts under way and
   * those that wait are refused at their next token.
   */
  @Override
  public void close() {
    model.lifetime().close(decoders::close);
    threads.shutdown();
  }
}
