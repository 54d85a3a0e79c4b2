package dev.spatz;

import dev.spatz.dataset.Conversation;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Preference;
import dev.spatz.dataset.Preferences;
import dev.spatz.training.TrainingConfig;
import java.util.stream.IntStream;

/** Short trainings that use all that a resumed run must restore, and what they teach. */
final class ShortLessons {
  static final String TEXT = "der spatz in der hand ist besser als die taube. ".repeat(40);

  private static final int COUNT = 30;

  private ShortLessons() {}

  /** Nine steps with dropout, accumulation, shards and averaging. */
  static TrainingConfig config() {
    return TrainingConfig.defaults()
        .withDropout(0.1)
        .withBatchSize(3)
        .withAccumulation(2)
        .withShards(2)
        .withSteps(9)
        .withAveragedSteps(3)
        .withEvaluationInterval(4)
        .withThreads(2);
  }

  /** Thirty, the first of which has this number. */
  static Conversations conversations(int first) {
    return Conversations.of(
        IntStream.range(first, first + COUNT)
            .mapToObj(i -> Conversation.of(question(i), answer(i)))
            .toList());
  }

  /** The same with a worse answer to each. */
  static Preferences preferences(int first) {
    return Preferences.of(
        IntStream.range(first, first + COUNT)
            .mapToObj(i -> Preference.of(question(i), answer(i), "taube " + answer(i)))
            .toList());
  }

  private static String question(int i) {
    return "was ist " + i + "?";
  }

  private static String answer(int i) {
    return "spatz ".repeat(1 + i % 4);
  }
}
