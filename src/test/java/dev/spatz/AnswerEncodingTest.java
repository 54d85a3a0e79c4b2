package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.spatz.dataset.EncodedExample;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.BytePairTrainer;
import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.Message;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.Tokenizer;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerEncodingTest {
  private static final List<Message> TALK =
      List.of(
          Message.system("Be kind."),
          Message.user("Hallo?"),
          Message.assistant("Ein Spatz."),
          Message.user("Und?"),
          Message.assistant("Tschilp!"));

  /** The tokens that are predicted, or those that are not. */
  private static String text(Tokenizer tokenizer, EncodedExample example, boolean predicted) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < example.ids().length; i++) {
      if (example.predicted()[i] == predicted) {
        int id = example.ids()[i];
        text.append(
            tokenizer.specialTokens().stream()
                .filter(special -> special.id() == id)
                .map(SpecialToken::content)
                .findFirst()
                .orElseGet(() -> tokenizer.decode(id)));
      }
    }
    return text.toString();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void maskAndContext_areRightToTheToken(boolean turns) {
    BytePairTrainer trainer = new BytePairTrainer();
    trainer.add("Hallo, wer bist du? Ein Spatz. user assistant system\nBe kind. ".repeat(20));
    BytePairTokenizer tokenizer =
        trainer.train(
            300,
            turns
                ? List.of(Tokenizer.END_OF_TEXT, "<|im_start|>", "<|im_end|>")
                : List.of(Tokenizer.END_OF_TEXT));
    ChatTemplate template = ChatTemplate.builtIn(tokenizer);
    AnswerEncoding encoding = new AnswerEncoding(tokenizer, template, 200);
    String end = turns ? "<|im_end|>" : Tokenizer.END_OF_TEXT;
    String space = turns ? "" : " ";
    String whole = Tokenizer.END_OF_TEXT + template.render(TALK, false).stripTrailing();
    String first = space + "Ein Spatz." + end;
    String last = space + "Tschilp!" + end;

    EncodedExample all = encoding.allAnswers(TALK, "here");
    assertEquals(first + last, text(tokenizer, all, true));
    assertEquals(
        whole.replace(first, "").replace(last, ""), text(tokenizer, all, false), "the context");

    EncodedExample one = encoding.lastAnswer(TALK, "here");
    assertEquals(last, text(tokenizer, one, true));
    assertEquals(whole.substring(0, whole.length() - last.length()), text(tokenizer, one, false));
  }
}
