package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.generation.Conversation;
import dev.spatz.generation.FinishReason;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.tokenizer.Message;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;

/** A person's lines → a model's answers, turn by turn; lines that begin with a slash command. */
final class Chat {
  /** Command, as it is used → what it does. */
  private static final Map<String, String> COMMANDS = commands();

  private final LanguageModel model;
  private final GenerationConfig config;
  private final PrintWriter out;
  private Conversation conversation;

  /** {@code system} is what the system says first; empty for nothing. */
  Chat(LanguageModel model, GenerationConfig config, String system, PrintWriter out) {
    this.model = model;
    this.config = config;
    this.out = out;
    this.conversation = begun(system.isEmpty() ? List.of() : List.of(Message.system(system)));
  }

  private static Map<String, String> commands() {
    Map<String, String> commands = new LinkedHashMap<>();
    commands.put("/help", "shows this");
    commands.put("/system TEXT", "begins anew under these rules; without a text, under none");
    commands.put("/reset", "begins anew under the same rules");
    commands.put("/undo", "takes the last question and its answer back");
    commands.put("/retry", "lets the model answer the last question again");
    commands.put("/exit", "ends, as Ctrl-D does");
    return commands;
  }

  /** The commands, without what may follow them. */
  static List<String> commandNames() {
    return COMMANDS.keySet().stream().map(use -> use.split(" ", 2)[0]).toList();
  }

  /** Answers until the lines end. */
  void run(ChatInput input) throws IOException {
    for (String line = input.nextLine(); line != null; line = input.nextLine()) {
      String text = line.strip();
      if (text.equals("/exit") || text.equals("/quit")) {
        return;
      }
      if (text.equals("/retry")) {
        retry(input);
      } else if (text.startsWith("/")) {
        command(text);
      } else if (!text.isEmpty()) {
        answer(text, input);
      }
      out.flush();
    }
  }

  private void command(String text) {
    String[] words = text.split("\\s+", 2);
    switch (words[0]) {
      case "/help" -> COMMANDS.forEach((name, does) -> note("%-13s %s", name, does));
      case "/reset" -> {
        conversation = begun(rules());
        note("a new conversation");
      }
      case "/system" -> {
        conversation = begun(words.length < 2 ? List.of() : List.of(Message.system(words[1])));
        note("a new conversation, under %s rules", words.length < 2 ? "no" : "these");
      }
      case "/undo" -> note("%s", undo().isEmpty() ? "there is no question" : "taken back");
      default -> note("there is no command %s; /help shows those that there are", words[0]);
    }
  }

  /** What the system said at the beginning. */
  private List<Message> rules() {
    List<Message> messages = conversation.messages();
    boolean any = !messages.isEmpty() && messages.get(0).role().equals(Message.SYSTEM);
    return any ? messages.subList(0, 1) : List.of();
  }

  /** Takes back the last question with its answer; returns it, or nothing if there was none. */
  private List<Message> undo() {
    List<Message> messages = new ArrayList<>(conversation.messages());
    for (int i = messages.size() - 1; i >= 0; i--) {
      if (messages.get(i).role().equals(Message.USER)) {
        conversation = begun(messages.subList(0, i));
        return List.of(messages.get(i));
      }
    }
    return List.of();
  }

  private void retry(ChatInput input) {
    List<Message> question = undo();
    if (question.isEmpty()) {
      note("there is no question");
    } else {
      answer(question.get(0).content(), input);
    }
  }

  private Conversation begun(List<Message> messages) {
    return model.conversation(messages.toArray(Message[]::new)).forgettingOldest();
  }

  private void answer(String question, ChatInput input) {
    int turns = conversation.messages().size();
    StringBuilder shown = new StringBuilder();
    try {
      Generation[] answer = new Generation[1];
      input.answer(
          () -> answer[0] = conversation.say(question, config, piece -> show(piece, shown)));
      out.println();
      explain(answer[0].finishReason());
      if (conversation.messages().size() < turns + 2) {
        note("(the oldest turns no longer fit, and are forgotten)");
      }
    } catch (IllegalArgumentException | RejectedExecutionException e) {
      out.println(shown.isEmpty() ? "" : "\n");
      note("spatz: %s", Failures.sentence(e));
    } finally {
      Thread.interrupted(); // stopping an answer is over with it
    }
  }

  /** Shows a piece, but no white space before the first word. */
  private void show(String piece, StringBuilder shown) {
    String visible = shown.isEmpty() ? piece.stripLeading() : piece;
    shown.append(visible);
    out.print(visible);
    out.flush();
  }

  private void explain(FinishReason reason) {
    switch (reason) {
      case END_OF_TEXT, STOP_STRING, CONSTRAINT_MET -> {}
      case CANCELLED -> note("(stopped)");
      default -> note("(%s)", GenerateCommand.words(reason));
    }
  }

  private void note(String format, Object... values) {
    out.println(String.format(Locale.ROOT, format, values));
  }
}
