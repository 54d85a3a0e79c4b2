package dev.spatz.tokenizer;

import dev.spatz.template.Text;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What the model says in a conversation, where a template does not mark it. A turn begins where the
 * generation prompt ends: the text of the turns before it, rendered with one, is the beginning of
 * the whole; or else, where later turns change earlier ones, what stands between the prompt and the
 * content in the conversation up to this turn stands before the content here too. It ends with the
 * special token after the content that is there whether or not other turns follow, or else with the
 * content.
 */
final class AssistantSpans {
  private final JinjaChat chat;
  private final TemplateTokens tokens;
  private final List<Message> messages;
  private final Text whole;

  AssistantSpans(JinjaChat chat, TemplateTokens tokens, List<Message> messages, Text whole) {
    this.chat = chat;
    this.tokens = tokens;
    this.messages = messages;
    this.whole = whole;
  }

  /**
   * Marks the characters.
   *
   * @throws IllegalArgumentException if this cannot be told exactly
   */
  void mark(boolean[] said) {
    for (int i = 0; i < messages.size(); i++) {
      if (messages.get(i).byAssistant()) {
        Turn turn = turn(i);
        Arrays.fill(said, turn.begin, turn.end, true);
      }
    }
  }

  private record Turn(int begin, int end) {}

  /** Where a content stands in a text. */
  private record Place(int begin, int end) {}

  private Turn turn(int index) {
    Text prompt = chat.render(messages.subList(0, index), true);
    Text upToHere = chat.render(messages.subList(0, index + 1), false);
    Place here = place(whole, index, prompt);
    Place own = place(upToHere, index, prompt);
    int begin = begin(index, prompt, upToHere, here, own);
    return new Turn(begin, end(here, upToHere.subSequence(own.end, upToHere.length())));
  }

  private int begin(int index, Text prompt, Text upToHere, Place here, Place own) {
    if (startsWith(whole, prompt) && prompt.length() <= here.begin) {
      return prompt.length();
    }
    if (startsWith(upToHere, prompt) && prompt.length() <= own.begin) {
      String between = upToHere.subSequence(prompt.length(), own.begin).toString();
      int begin = here.begin - between.length();
      if (begin >= 0 && whole.toString().startsWith(between, begin)) {
        return begin;
      }
    }
    throw inexact(index, "it does not begin with the generation prompt");
  }

  private int end(Place here, Text afterOwn) {
    int special = tokens.next(whole, here.end);
    if (special < 0) {
      return here.end;
    }
    int end = special + tokens.at(whole, special).length();
    String ending = whole.subSequence(here.end, end).toString();
    return afterOwn.toString().startsWith(ending) ? end : here.end;
  }

  /** Where the content stands; where it is blank, it may stand nowhere, right after the prompt. */
  private Place place(Text text, int index, Text prompt) {
    int origin = JinjaChat.origin(index);
    int begin = -1;
    int end = -1;
    for (int i = 0; i < text.length(); i++) {
      if (text.originAt(i) == origin) {
        begin = begin < 0 ? i : begin;
        end = i + 1;
      }
    }
    if (begin < 0) {
      if (!messages.get(index).content().isBlank() || !startsWith(text, prompt)) {
        throw inexact(index, "nothing of it is there");
      }
      return new Place(prompt.length(), prompt.length());
    }
    for (int i = begin; i < end; i++) {
      if (text.originAt(i) != origin && text.originAt(i) != Text.TEMPLATE) {
        throw inexact(index, "other texts stand within it");
      }
    }
    return new Place(begin, end);
  }

  private static boolean startsWith(Text text, Text beginning) {
    return text.toString().startsWith(beginning.toString());
  }

  private static IllegalArgumentException inexact(int index, String why) {
    return new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "which tokens the model says cannot be told exactly of message %d, as this chat template"
                + " spells it: %s; enclose what the model says in {%% generation %%} and"
                + " {%% endgeneration %%}",
            index + 1,
            why));
  }
}
