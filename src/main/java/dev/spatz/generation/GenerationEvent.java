package dev.spatz.generation;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** Shows a text, from the call to its end, to the JVM's flight recorder, where one is running. */
@Name("dev.spatz.Generation")
@Label("Generation")
@Category("Spatz")
@StackTrace(false)
final class GenerationEvent extends Event {
  @Label("Prompt tokens")
  private int promptTokens;

  @Label("Prompt tokens known before")
  private int cachedPromptTokens;

  @Label("New tokens")
  private int newTokens;

  @Label("Finish reason")
  private String finishReason = "";

  /** The call. */
  static GenerationEvent begun() {
    GenerationEvent event = new GenerationEvent();
    event.begin();
    return event;
  }

  /** The end; no reason: the text failed. */
  void end(int prompt, int cached, int tokens, @Nullable FinishReason reason) {
    if (shouldCommit()) {
      promptTokens = prompt;
      cachedPromptTokens = cached;
      newTokens = tokens;
      finishReason = reason == null ? "FAILED" : reason.name();
      commit();
    }
  }
}
