package dev.spatz.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import dev.spatz.tokenizer.Message;
import java.util.ArrayList;
import java.util.List;

/** The shapes of records that tell of conversations, see {@link Conversations}. */
final class ConversationRecords {
  /** What a turn may have instead of content. */
  private static final List<String> CALLS = List.of("tool_calls", "function_call");

  private ConversationRecords() {}

  /** A conversation, in one of the three shapes. */
  static Conversation conversation(JsonNode record, String place) {
    return new Conversation(messages(record), place);
  }

  /** Two answers to a prompt, see {@link Preferences}. */
  static Preference preference(JsonNode record, String place) {
    return new Preference(
        prompt(record), answer(record, "chosen"), answer(record, "rejected"), place);
  }

  private static List<Message> messages(JsonNode record) {
    if (record.has("messages")) {
      requireAbsent(record, "tools", "describe them in the system's turn");
      return turns(record, "messages");
    }
    if (record.has("instruction")) {
      String input = record.hasNonNull("input") ? text(record, "input") : "";
      String instruction = text(record, "instruction");
      return List.of(
          Message.user(input.isBlank() ? instruction : instruction + "\n\n" + input),
          Message.assistant(text(record, "output")));
    }
    require(
        record.has("prompt"),
        "no \"messages\", no \"instruction\" and no \"prompt\" in the record");
    return List.of(
        Message.user(text(record, "prompt")), Message.assistant(text(record, "completion")));
  }

  private static List<Message> prompt(JsonNode record) {
    if (record.path("prompt").isTextual()) {
      return List.of(Message.user(text(record, "prompt")));
    }
    String name = record.has("prompt") ? "prompt" : "messages";
    require(record.has(name), "no \"prompt\" and no \"messages\" in the record");
    return turns(record, name);
  }

  /** Text, or an array of one turn of the assistant. */
  private static String answer(JsonNode record, String name) {
    if (!record.path(name).isArray()) {
      return text(record, name);
    }
    List<Message> turns = turns(record, name);
    require(
        turns.size() == 1 && turns.get(0).byAssistant(),
        "\"" + name + "\" must be a string, or an array of one turn of the assistant");
    return turns.get(0).content();
  }

  private static List<Message> turns(JsonNode record, String name) {
    JsonNode turns = record.get(name);
    require(turns.isArray(), "\"" + name + "\" must be an array");
    List<Message> messages = new ArrayList<>();
    for (JsonNode turn : turns) {
      for (String call : CALLS) {
        requireAbsent(turn, call, "spell it in \"content\", as the model is to write it");
      }
      messages.add(new Message(text(turn, "role"), text(turn, "content")));
    }
    return messages;
  }

  private static String text(JsonNode record, String name) {
    JsonNode value = record.path(name);
    require(value.isTextual(), "\"" + name + "\" must be a string");
    return value.textValue();
  }

  /** Left out silently, it would be missing in what the model learns. */
  private static void requireAbsent(JsonNode record, String name, String remedy) {
    JsonNode value = record.path(name);
    boolean absent = value.isMissingNode() || value.isNull() || value.isArray() && value.isEmpty();
    require(absent, "\"" + name + "\" is not carried; " + remedy);
  }

  private static void require(boolean condition, String fault) {
    if (!condition) {
      throw new IllegalArgumentException(fault);
    }
  }
}
