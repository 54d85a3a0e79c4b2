package consumer;

import dev.spatz.LanguageModel;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.training.TrainingConfig;
import java.nio.file.Files;
import java.nio.file.Path;

/** Trains a small model on a text of its own, saves it, and notes what it says. */
public final class Train {
  static final String PROMPT = "The sparrow";
  static final GenerationConfig SAMPLED =
      GenerationConfig.defaults().withMaxNewTokens(40).withTemperature(0.8).withSeed(42);

  private Train() {}

  /** The argument is the directory to work in. */
  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    ClassPath.check();
    Path corpus = directory.resolve("corpus.txt");
    Files.writeString(corpus, text());
    try (LanguageModel model =
        LanguageModel.train(corpus, TrainingConfig.defaults().withSteps(5))) {
      model.save(directory.resolve("model"));
      Files.writeString(directory.resolve("said.txt"), model.generate(PROMPT, SAMPLED));
    }
  }

  private static String text() {
    String[] birds = {"sparrow", "pigeon", "swallow", "wren", "starling", "finch"};
    String[] deeds = {"sings", "sleeps", "flies", "hops", "eats seeds", "builds a nest"};
    String[] places = {"on the roof", "in the hand", "under the eaves", "in the hedge"};
    StringBuilder text = new StringBuilder();
    for (int sentence = 0; sentence < 2000; sentence++) {
      text.append("The ")
          .append(birds[sentence * 7 % birds.length])
          .append(' ')
          .append(deeds[sentence * 5 % 11 % deeds.length])
          .append(' ')
          .append(places[sentence * 3 % 7 % places.length])
          .append(".\n");
    }
    return text.toString();
  }
}
