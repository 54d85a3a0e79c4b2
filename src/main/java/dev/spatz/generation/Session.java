package dev.spatz.generation;

import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.StreamingDecoder;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One text in the making, piece by piece on the threads that ask for it. Its memory is taken with
 * the first piece and freed with the last. Between two tokens it notices that it is cancelled, out
 * of time, or that the model is closed.
 */
final class Session implements AutoCloseable {
  private static final SecureRandom SEEDS = new SecureRandom();

  /** The prompt is taken in chunks of this size: whole blocks of the decoder, so bits agree. */
  private static final int PROMPT_CHUNK = 256;

  private final ModelParts model;
  private final GenerationConfig config;
  private final int[] prompt;
  private final long seed;
  private final Sampler sampler;
  private final float[] logits;
  private final StreamingDecoder characters;
  private final StopStrings stops;
  private final StringBuilder text = new StringBuilder();
  private final List<GeneratedToken> tokens = new ArrayList<>();
  private final Stopwatch stopwatch;
  private final Supplier<Decoder> decoders;
  private @Nullable Memory memory;
  private @Nullable FinishReason reason;
  private int promptDone;
  private int newTokens;
  private int lastToken;
  private volatile boolean cancelled;

  /** What is freed at the end. */
  private record Memory(Kernels kernels, Decoder decoder, KeyValueCache cache) {
    static Memory of(ModelParts model, Supplier<Decoder> decoders) {
      return new Memory(model.kernels().create(), decoders.get(), model.transformer().cache());
    }

    void free() {
      cache.close();
      decoder.close();
      kernels.close();
    }
  }

  /**
   * Begins a text.
   *
   * @param decoders called when the text begins, while the model is open
   * @param nanoTime a clock that never goes back, in nanoseconds
   * @throws IllegalArgumentException if the prompt is empty or leaves no room in the context, or
   *     the configuration names an id outside the vocabulary
   */
  Session(
      ModelParts model,
      Supplier<Decoder> decoders,
      int[] prompt,
      GenerationConfig config,
      LongSupplier nanoTime) {
    requireRoom(prompt.length, model.transformer().config().contextLength());
    this.model = model;
    this.decoders = decoders;
    this.config = config;
    this.prompt = prompt;
    this.stopwatch = new Stopwatch(nanoTime, config.stopping().deadline());
    this.seed = config.seed() != null ? config.seed() : SEEDS.nextLong();
    Tokenizer tokenizer = model.tokenizer();
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

  /**
   * The next piece of text: whole characters, not empty; null at the end.
   *
   * @throws IllegalStateException if the model is closed
   */
  @Nullable String next() {
    while (true) {
      String piece = advance();
      if (piece == null || !piece.isEmpty()) {
        return piece;
      }
    }
  }

  private synchronized @Nullable String advance() {
    if (reason != null) {
      return null;
    }
    try {
      String piece = model.lifetime().whileOpen(this::step);
      text.append(piece);
      return piece;
    } catch (RuntimeException | Error e) {
      reason = FinishReason.CANCELLED;
      free();
      throw e;
    }
  }

  /** Takes a part of the prompt, or draws a token; returns the text that is certain with it. */
  private String step() {
    if (cancelled || Thread.currentThread().isInterrupted()) {
      return finish(FinishReason.CANCELLED);
    }
    if (stopwatch.isOver()) {
      return finish(FinishReason.DEADLINE);
    }
    if (memory == null) {
      memory = Memory.of(model, decoders);
    }
    if (promptDone < prompt.length) {
      int to = Math.min(prompt.length, promptDone + PROMPT_CHUNK);
      decode(memory, Arrays.copyOfRange(prompt, promptDone, to));
      promptDone = to;
      return to < prompt.length ? "" : draw(memory);
    }
    decode(memory, lastToken);
    return draw(memory);
  }

  private void decode(Memory memory, int... ids) {
    Tensors.read(
        memory.decoder.accept(memory.kernels, memory.cache, ids), 0, logits, 0, logits.length);
  }

  private String draw(Memory memory) {
    TokenRecorder recorder = TokenRecorder.of(config, logits, model.tokenizer());
    int token = sampler.sample(logits, newTokens);
    if (token < 0) {
      return finish(FinishReason.NOTHING_ALLOWED);
    }
    if (recorder != null) {
      tokens.add(recorder.record(token));
    }
    newTokens++;
    stopwatch.tokenDrawn();
    lastToken = token;
    Stopping stopping = config.stopping();
    if (token == model.tokenizer().endOfText()
            && (stopping.atEndOfText() || sampler.isConstrained())
        || stopping.tokens().contains(token)) {
      return finish(FinishReason.END_OF_TEXT);
    }
    String piece = stops.accept(characters.accept(token));
    if (stops.found()) {
      return piece + finish(FinishReason.STOP_STRING);
    }
    if (sampler.isComplete()) {
      return piece + finish(FinishReason.CONSTRAINT_MET);
    }
    if (newTokens == config.maxNewTokens()) {
      return piece + finish(sampler.reason(FinishReason.MAX_NEW_TOKENS));
    }
    return memory.cache.room() == 0
        ? piece + finish(sampler.reason(FinishReason.CONTEXT_FULL))
        : piece;
  }

  /** Ends the text; returns what was held back until now. */
  private String finish(FinishReason why) {
    String rest = stops.accept(characters.flush());
    reason = stops.found() ? FinishReason.STOP_STRING : why;
    free();
    return rest + stops.flush();
  }

  private void free() {
    if (memory != null) {
      memory.free();
      memory = null;
    }
  }

  /** Ends the text before its next token; from any thread. */
  void cancel() {
    cancelled = true;
  }

  /** Ends the text, if it has not ended, and frees its memory; from any thread. */
  @Override
  public void close() {
    cancel();
    synchronized (this) {
      if (reason == null) {
        text.append(finish(FinishReason.CANCELLED));
      }
    }
  }

  /**
   * What was generated.
   *
   * @throws IllegalStateException if the text has not ended
   */
  synchronized Generation result() {
    if (reason == null) {
      throw new IllegalStateException("the text has not ended; read all of it, or close it");
    }
    Duration total = stopwatch.toLastToken();
    return new Generation(
        text.toString(),
        prompt.length,
        newTokens,
        seed,
        reason,
        tokens,
        new Generation.Timing(
            stopwatch.toFirstToken(), total, stopwatch.tokensPerSecond(newTokens)));
  }
}
