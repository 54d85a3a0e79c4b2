package dev.spatz.generation;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Continues prompts with a model. Many threads may call it at once; the texts of all of them are
 * written together, each as it would be alone.
 */
public final class Generator implements AutoCloseable {
  private final ModelParts model;
  private final PackedDecoders decoders;
  private final LongSupplier nanoTime;
  private final Engine engine;

  /** A generator for a model; the caller closes it, before the transformer. */
  public Generator(ModelParts model) {
    this(model, System::nanoTime);
  }

  Generator(ModelParts model, LongSupplier nanoTime) {
    this.model = model;
    this.decoders = new PackedDecoders(model);
    this.nanoTime = nanoTime;
    this.engine = new Engine(model, decoders, model.options().engine());
  }

  /**
   * Continues a prompt. Interrupting the calling thread ends the text; the interrupt status stays
   * set.
   *
   * @param listener is told each piece of text, whole characters, as soon as it is certain, on the
   *     calling thread; what it throws ends the text and is thrown
   * @throws IllegalArgumentException if the prompt leaves no room in the context or cannot be
   *     encoded, the configuration names an id outside the vocabulary, or the text may need more
   *     memory than {@link EngineConfig#cacheBytes}
   * @throws IllegalStateException if the model is closed
   * @throws RejectedExecutionException if too many wait, see {@link EngineConfig#mostWaiting}
   */
  public Generation generate(String prompt, GenerationConfig config, Consumer<String> listener) {
    return read(submit(model.promptIds(prompt), config), listener);
  }

  /** The same for a prompt of token ids. */
  public Generation generate(int[] promptIds, GenerationConfig config, Consumer<String> listener) {
    return read(submit(promptIds, config), listener);
  }

  /** The same, heard when it is whole, which holds the engine up less. */
  public Generation generate(String prompt, GenerationConfig config) {
    try (Session session = submit(model.promptIds(prompt), config)) {
      return session.awaitResult();
    }
  }

  private static Generation read(Session session, Consumer<String> listener) {
    try (session) {
      for (String piece = session.next(); piece != null; piece = session.next()) {
        listener.accept(piece);
      }
      return session.result();
    }
  }

  /**
   * Continues prompts together.
   *
   * @return what was generated, in the order of the prompts
   * @throws IllegalArgumentException as {@link #generate}
   * @throws IllegalStateException if the model is closed
   * @throws RejectedExecutionException if there is no place even for one of them
   */
  public List<Generation> generateAll(List<String> prompts, GenerationConfig config) {
    List<int[]> ids = prompts.stream().map(model::promptIds).toList();
    List<Session> sessions = new ArrayList<>();
    List<Generation> results = new ArrayList<>();
    try {
      while (results.size() < ids.size()) {
        try {
          while (sessions.size() < ids.size()) {
            sessions.add(submit(ids.get(sessions.size()), config));
          }
        } catch (RejectedExecutionException e) {
          if (results.size() == sessions.size()) {
            throw e;
          }
        }
        results.add(sessions.get(results.size()).awaitResult());
      }
      return results;
    } finally {
      sessions.forEach(Session::close);
    }
  }

  /**
   * Continues a prompt, piece by piece.
   *
   * @return a text that the caller closes
   * @throws IllegalArgumentException as {@link #generate}
   * @throws IllegalStateException if the model is closed
   * @throws RejectedExecutionException if too many wait
   */
  public TextStream stream(String prompt, GenerationConfig config) {
    return new TextStream(submit(model.promptIds(prompt), config));
  }

  /**
   * Continues a prompt without waiting for it.
   *
   * @return whose cancellation ends the text before its next token, or frees its place in the
   *     queue; what depends on it runs on the common pool
   * @throws IllegalArgumentException as {@link #generate}
   * @throws IllegalStateException if the model is closed
   * @throws RejectedExecutionException if too many wait
   */
  public CompletableFuture<Generation> generateAsync(String prompt, GenerationConfig config) {
    Session session = submit(model.promptIds(prompt), config);
    CompletableFuture<Generation> future = new CompletableFuture<>();
    session.whenOver(() -> future.completeAsync(session::result));
    future.whenComplete((generation, failure) -> session.cancel());
    return future;
  }

  private Session submit(int[] promptIds, GenerationConfig config) {
    return model
        .lifetime()
        .whileOpen(
            () -> {
              Session session = new Session(model, engine, promptIds, config, nanoTime);
              engine.submit(session);
              return session;
            });
  }

  /** Judges texts with the same engine; its life ends with this generator's. */
  public Scorer scorer() {
    return new Scorer(model, engine);
  }

  /** What the engine has done so far. */
  public EngineStatistics statistics() {
    return engine.statistics();
  }

  /**
   * The memory that model and generator take off the heap.
   *
   * @throws IllegalStateException if the model is closed
   */
  public ModelMemory memory() {
    return model
        .lifetime()
        .whileOpen(
            () ->
                engine.memory(
                    model.transformer().bytes(), decoders.bytes(), decoders.workspaceBytes()));
  }

  /**
   * Ends the model's lifetime: texts under way and those that wait end at once with an exception;
   * the memory is freed after the engine's step under way.
   *
   * @throws IllegalStateException if a logits processor calls it
   */
  @Override
  public void close() {
    engine.close();
    model.lifetime().close(decoders::close);
  }
}
