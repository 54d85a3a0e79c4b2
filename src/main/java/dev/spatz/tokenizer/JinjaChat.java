package dev.spatz.tokenizer;

import dev.spatz.template.Template;
import dev.spatz.template.TemplateException;
import dev.spatz.template.Text;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Spells conversations by a template in Jinja. Every character of the text knows whether the
 * template spells it or one of the messages; a special token is one only where all of it is the
 * template's.
 */
final class JinjaChat implements ChatTemplate.Speller {
  /** The origin of what is not a message's; that of message number i is i + 1. */
  private static final int OTHERS = 1 << 29;

  private final Template template;
  private final Map<String, Object> variables;

  private JinjaChat(Template template, Map<String, Object> variables) {
    this.template = template;
    this.variables = variables;
  }

  static JinjaChat of(String source, String beginOfText, String endOfText) {
    Map<String, Object> variables = Map.of("bos_token", beginOfText, "eos_token", endOfText);
    try {
      return new JinjaChat(Template.parse(source), variables);
    } catch (TemplateException e) {
      throw new IllegalArgumentException("the chat template is malformed: " + e.getMessage(), e);
    }
  }

  /** The same with more variables, whose strings are ordinary text. */
  JinjaChat with(Map<String, ?> more) {
    Map<String, Object> all = new HashMap<>(variables);
    more.forEach((name, value) -> all.put(name, ordinary(value)));
    return new JinjaChat(template, all);
  }

  private static @Nullable Object ordinary(@Nullable Object value) {
    if (value instanceof CharSequence text) {
      return Text.of(text.toString(), OTHERS);
    }
    if (value instanceof Iterable<?> elements) {
      List<@Nullable Object> list = new ArrayList<>();
      elements.forEach(element -> list.add(ordinary(element)));
      return list;
    }
    if (value instanceof Map<?, ?> entries) {
      Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
      entries.forEach((key, element) -> map.put(ordinary(key), ordinary(element)));
      return map;
    }
    return value;
  }

  /** The origin of a message's content in {@link #render}. */
  static int origin(int message) {
    return message + 1;
  }

  Text render(List<Message> messages, boolean generationPrompt) {
    Map<String, Object> all = new HashMap<>(variables);
    List<Object> turns = new ArrayList<>();
    for (int i = 0; i < messages.size(); i++) {
      Message message = messages.get(i);
      Map<String, Object> turn = new LinkedHashMap<>();
      turn.put("role", message.role());
      turn.put("content", Text.of(message.content(), origin(i)));
      turns.add(turn);
    }
    all.put("messages", turns);
    all.put("add_generation_prompt", generationPrompt);
    try {
      return template.render(all);
    } catch (TemplateException e) {
      throw new IllegalArgumentException("the chat template says: " + e.getMessage(), e);
    }
  }

  @Override
  public String text(List<Message> messages, boolean generationPrompt) {
    return render(messages, generationPrompt).toString();
  }

  @Override
  public boolean beginsText() {
    return true;
  }

  @Override
  public RenderedChat pieces(
      List<Message> messages,
      boolean generationPrompt,
      List<SpecialToken> special,
      boolean masked) {
    Text text = render(messages, generationPrompt);
    TemplateTokens tokens = new TemplateTokens(special);
    boolean[] said = new boolean[text.length()];
    if (masked && template.hasGeneration()) {
      for (int i = 0; i < said.length; i++) {
        said[i] = text.isGenerated(i);
      }
    } else if (masked) {
      new AssistantSpans(this, tokens, messages, text).mark(said);
    }
    return pieces(text, tokens, said);
  }

  private static RenderedChat pieces(Text text, TemplateTokens tokens, boolean[] said) {
    RenderedChat to = new RenderedChat();
    int from = 0;
    while (from < text.length()) {
      int next = tokens.next(text, from);
      int until = next < 0 ? text.length() : next;
      while (from < until) {
        int end = from + 1;
        while (end < until && said[end] == said[from]) {
          end++;
        }
        to.content(text.subSequence(from, end).toString(), said[from]);
        from = end;
      }
      if (next >= 0) {
        String content = tokens.at(text, next);
        to.special(content, said[next]);
        from = next + content.length();
      }
    }
    return to;
  }
}
