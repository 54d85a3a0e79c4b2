package dev.spatz.template;

import dev.spatz.UntrustedInput;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What reads templates. */
public enum TemplateReaders implements UntrustedInput.Reader {
  /** A chat template, which then spells a conversation. */
  TEMPLATE {
    @Override
    public void read(Path directory, byte[] input) {
      try {
        Template.parse(new String(input, StandardCharsets.UTF_8)).render(CHAT).toString();
      } catch (TemplateException e) {
        throw new IllegalArgumentException(e.getMessage(), e);
      }
    }

    @Override
    public boolean namesFile() {
      return false;
    }

    /** So much may be made and thrown away by the work that a rendering is allowed. */
    @Override
    public long mostBytes(int length) {
      return 2L << 30;
    }
  };

  private static final Map<String, Object> CHAT =
      Map.of(
          "messages",
          List.of(
              Map.of("role", "system", "content", Text.of("Be brief.", 1)),
              Map.of("role", "user", "content", Text.of(" Hello? ", 2)),
              Map.of("role", "assistant", "content", Text.of("Hi!", 3))),
          "add_generation_prompt",
          true,
          "bos_token",
          "<s>",
          "eos_token",
          "</s>");
}
