package dev.spatz.generation;

import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.StreamingDecoder;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.WeightedAdapter;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One text in the making. The engine's thread draws its tokens and leaves the pieces here; its
 * reader takes them when he likes, so a slow one holds nobody up. Between two tokens the engine
 * notices that it is cancelled or out of time.
 */
final class Session implements Job, AutoCloseable {
  private static final SecureRandom SEEDS = new SecureRandom();

  private final Engine engine;
  private final Tokenizer tokenizer;
  private final GenerationConfig config;
  private final int[] prompt;
  private final int mostTokens;
  private final long mostBytes;
  private final long seed;
  private final Sampler sampler;
  private final float[] logits;
  private final StreamingDecoder characters;
  private final StopStrings stops;
  private final Stopwatch stopwatch;
  private final @Nullable TokenRecorder recorder;
  private final @Nullable GenerationEvent event;
  private volatile boolean cancelled;
  private volatile boolean over;

  // Guarded by this.
  private final StringBuilder text = new StringBuilder();
  private final Deque<String> unread = new ArrayDeque<>();
  private @Nullable FinishReason reason;
  private @Nullable Throwable failure;
  private @Nullable Runnable whenOver;
  private boolean readByPieces;
  private boolean allRead;
  private int cachedTokens;
  private int newTokens;
  private int lastToken;

  /**
   * Begins a text, which is not yet given to the engine.
   *
   * @param nanoTime a clock that never goes back, in nanoseconds
   * @throws IllegalArgumentException if the prompt is empty or leaves no room in the context, or
   *     the configuration names an id outside the vocabulary, or an adapter of another model
   */
  Session(
      ModelParts model,
      Engine engine,
      int[] prompt,
      GenerationConfig config,
      LongSupplier nanoTime) {
    int contextLength = model.transformer().config().contextLength();
    requireRoom(prompt.length, contextLength);
    config.adapters().forEach(each -> each.adapter().requireFits(model.transformer().config()));
    this.engine = engine;
    this.tokenizer = model.tokenizer();
    this.config = config;
    this.prompt = prompt.clone();
    this.mostTokens = (int) Math.min(contextLength, (long) prompt.length + config.maxNewTokens());
    this.mostBytes = model.transformer().cacheBytes(mostTokens);
    this.event = FlightRecorder.isInitialized() ? GenerationEvent.begun() : null; // 50 ms at first
    this.stopwatch = new Stopwatch(nanoTime, config.stopping().deadline());
    this.seed = config.seed() != null ? config.seed() : SEEDS.nextLong();
    // The model's vocabulary may be padded with ids that mean nothing; they are never drawn.
    this.logits = new float[tokenizer.vocabularySize()];
    this.sampler =
        new Sampler(
            config,
            logits.length,
            seed,
            new TokenHistory(prompt),
            Sampler.breakers(config.dry(), tokenizer),
            config.constraint() == null ? null : config.constraint().forTokens(tokenizer).matcher(),
            Math.min(
                config.maxNewTokens(),
                model.transformer().config().contextLength() - prompt.length + 1));
    this.characters = tokenizer.streamingDecoder();
    for (int id : prompt) {
      characters.accept(id); // what follows is a continuation, whose first space counts
    }
    this.stops = new StopStrings(config.stopping().strings());
    this.recorder = TokenRecorder.of(config, tokenizer);
  }

  private static void requireRoom(int tokens, int contextLength) {
    if (tokens == 0) {
      throw new IllegalArgumentException("the prompt has no token");
    }
    if (tokens >= contextLength) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the prompt of %,d tokens leaves no room in the context of %,d; shorten it",
              tokens,
              contextLength));
    }
  }

  // ---- the engine's side ----

  int[] prompt() {
    return prompt;
  }

  /** The adapters that it is written with. */
  List<WeightedAdapter> adapters() {
    return config.adapters();
  }

  /** The prompt is among them. */
  @Override
  public int mostTokens() {
    return mostTokens;
  }

  @Override
  public long mostBytes() {
    return mostBytes;
  }

  /** The first ids of the text, those of the prompt among them. */
  synchronized int[] firstIds(int count) {
    return sampler.firstIds(count);
  }

  synchronized int lastToken() {
    return lastToken;
  }

  @Override
  public boolean isOver() {
    return over;
  }

  @Override
  public synchronized boolean endIfDue() {
    if (!over) {
      if (cancelled) {
        finish(FinishReason.CANCELLED);
      } else if (stopwatch.isOver()) {
        finish(FinishReason.DEADLINE);
      }
    }
    return over;
  }

  /** The prompt is begun; so many of its tokens were known. */
  synchronized void begun(int knownTokens) {
    cachedTokens = knownTokens;
  }

  /** Draws a token from a row of logits; {@code room} is how many more tokens fit. */
  synchronized void draw(INDArray rows, int row, int room) {
    if (over) {
      return;
    }
    try {
      Tensors.read(rows, row * rows.size(1), logits, 0, logits.length);
      draw(room);
    } catch (RuntimeException | Error e) {
      fail(e);
    }
  }

  private void draw(int room) {
    if (recorder != null) {
      recorder.keep(logits);
    }
    int token = sampler.sample(logits, newTokens);
    if (token < 0) {
      finish(FinishReason.NOTHING_ALLOWED);
      return;
    }
    if (recorder != null) {
      recorder.record(token);
    }
    newTokens++;
    stopwatch.tokenDrawn();
    lastToken = token;
    Stopping stopping = config.stopping();
    if (token == tokenizer.endOfText() && (stopping.atEndOfText() || sampler.isConstrained())
        || stopping.tokens().contains(token)) {
      finish(FinishReason.END_OF_TEXT);
      return;
    }
    hand(stops.accept(characters.accept(token)));
    if (stops.found()) {
      finish(FinishReason.STOP_STRING);
    } else if (sampler.isComplete()) {
      finish(FinishReason.CONSTRAINT_MET);
    } else if (newTokens == config.maxNewTokens()) {
      finish(sampler.reason(FinishReason.MAX_NEW_TOKENS));
    } else if (room == 0) {
      finish(sampler.reason(FinishReason.CONTEXT_FULL));
    }
  }

  private void hand(String piece) {
    if (!piece.isEmpty()) {
      text.append(piece);
      unread.add(piece);
      if (readByPieces) {
        notifyAll();
      }
    }
  }

  /** Ends the text, with what was held back until now. */
  private void finish(FinishReason why) {
    String rest = stops.accept(characters.flush());
    reason = stops.found() ? FinishReason.STOP_STRING : why;
    hand(rest + stops.flush());
    end();
  }

  @Override
  public synchronized void fail(Throwable cause) {
    if (!over) {
      failure = cause;
      end();
    }
  }

  private void end() {
    over = true;
    if (event != null) {
      event.end(prompt.length, cachedTokens, newTokens, reason);
    }
    notifyAll();
    if (whenOver != null) {
      whenOver.run();
    }
  }

  // ---- the reader's side ----

  /**
   * The next piece of text: whole characters, not empty; null at the end. Waits for it; an
   * interrupt ends the text, and stays set.
   *
   * @throws IllegalStateException if the model is closed
   */
  @Nullable String next() {
    if (Thread.currentThread().isInterrupted()) {
      close();
    }
    synchronized (this) {
      readByPieces = true;
      while (unread.isEmpty() && !over) {
        await();
      }
      String piece = unread.poll();
      if (piece == null) {
        requireNoFailure();
        allRead = true;
      }
      return piece;
    }
  }

  /**
   * What was generated, when it is; an interrupt ends the text, and stays set.
   *
   * @throws IllegalStateException if the model is closed
   */
  Generation awaitResult() {
    if (Thread.currentThread().isInterrupted()) {
      close();
    }
    synchronized (this) {
      while (!over) {
        await();
      }
      allRead = true;
      return result();
    }
  }

  private void await() {
    try {
      wait();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      cancelled = true;
      endIfDue();
    }
  }

  private void requireNoFailure() {
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
  }

  /** Runs something when the text ends, on the thread that ends it; at once if it has ended. */
  synchronized void whenOver(Runnable action) {
    whenOver = action;
    if (over) {
      action.run();
    }
  }

  /** Ends the text before its next token; from any thread. */
  void cancel() {
    cancelled = true;
    engine.withdraw(this);
  }

  /** Ends the text, unless it was read to its end, and frees its place; from any thread. */
  @Override
  public void close() {
    cancel();
    synchronized (this) {
      endIfDue();
      if (reason != null && !allRead) {
        reason = FinishReason.CANCELLED;
      }
      allRead = true;
      unread.clear();
    }
  }

  /**
   * What was generated.
   *
   * @throws IllegalStateException if the text has not ended, or the model was closed before
   */
  synchronized Generation result() {
    requireNoFailure();
    if (reason == null) {
      throw new IllegalStateException("the text has not ended; read all of it, or close it");
    }
    return new Generation(
        text.toString(),
        prompt.length,
        cachedTokens,
        newTokens,
        seed,
        reason,
        recorder == null ? List.of() : recorder.tokens(),
        new Generation.Timing(
            stopwatch.toFirstToken(),
            stopwatch.toLastToken(),
            stopwatch.tokensPerSecond(newTokens)));
  }
}
