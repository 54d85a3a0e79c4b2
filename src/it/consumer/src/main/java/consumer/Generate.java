package consumer;

import dev.spatz.LanguageModel;
import java.nio.file.Files;
import java.nio.file.Path;

/** Loads the model that another JVM saved; it must say the same. */
public final class Generate {
  private Generate() {}

  /** The argument is the directory to work in. */
  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    String expected = Files.readString(directory.resolve("said.txt"));
    try (LanguageModel model = LanguageModel.load(directory.resolve("model"))) {
      String actual = model.generate(Train.PROMPT, Train.SAMPLED);
      System.out.println(Train.PROMPT + actual);
      if (actual.isEmpty() || !actual.equals(expected)) {
        throw new AssertionError(
            "the trained model said \"" + expected + "\", the loaded one \"" + actual + "\"");
      }
    }
  }
}
