package dev.spatz.generation;

import dev.spatz.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Judges texts with a model. Many threads may call it at once, while texts are written: the same
 * engine does both, by turns, with the same weights and within the same memory. Made by {@link
 * Generator#scorer}.
 */
public final class Scorer {
  private final ModelParts model;
  private final Engine engine;

  Scorer(ModelParts model, Engine engine) {
    this.model = model;
    this.engine = engine;
  }

  /**
   * The log-probability of a text's tokens after a prefix.
   *
   * <p>Prefix and text are encoded as one, as the model learned to read; a token that covers the
   * end of the prefix and the beginning of the text counts as the text's. As before a prompt, the
   * token that begins a text stands before the prefix; where the tokenizer has none, that which
   * ends another text stands before an empty one.
   *
   * @throws IllegalArgumentException if the text has no token, does not fit into the context with
   *     its prefix, or has a character that the tokenizer has no id for
   * @throws IllegalStateException if the model is closed
   * @throws RejectedExecutionException if too many wait, see {@link EngineConfig#mostWaiting}
   * @throws CancellationException if the thread is interrupted, which stays so
   */
  public TextScore score(String prefix, String text) {
    return score(List.of(prefix), List.of(text)).get(0);
  }

  /**
   * Compares texts that may follow a prefix, which is read only once.
   *
   * @return best first; of equal ones, the one given first
   * @throws IllegalArgumentException if there is no candidate, or as {@link #score}
   * @throws IllegalStateException as {@link #score}
   * @throws RejectedExecutionException as {@link #score}
   * @throws CancellationException as {@link #score}
   */
  public List<RankedText> rank(String prefix, List<String> candidates, RankBy by) {
    if (candidates.isEmpty()) {
      throw new IllegalArgumentException("there must be at least one candidate to rank");
    }
    List<String> prefixes = by == RankBy.GAIN ? List.of(prefix, "") : List.of(prefix);
    List<TextScore> scores = score(prefixes, candidates);
    List<RankedText> ranked = new ArrayList<>();
    for (int i = 0; i < candidates.size(); i++) {
      TextScore alone = scores.get(scores.size() - candidates.size() + i);
      double value = by.value(scores.get(i), alone);
      ranked.add(new RankedText(candidates.get(i), i, value, scores.get(i)));
    }
    ranked.sort(Comparator.comparingDouble(RankedText::value).reversed());
    return List.copyOf(ranked);
  }

  /**
   * A text as a vector of length 1, such that texts which the model takes for similar have a large
   * scalar product.
   *
   * @return one number for each of the model's channels
   * @throws IllegalArgumentException as {@link #score}; an empty text has the token that begins one
   * @throws IllegalStateException as {@link #score}
   * @throws RejectedExecutionException as {@link #score}
   * @throws CancellationException as {@link #score}
   */
  public float[] embed(String text, Pooling pooling) {
    int[] ids = model.promptIds(text);
    return result(() -> new Embedding(model, ids, pooling));
  }

  /** Of each prefix the scores of all texts. */
  private List<TextScore> score(List<String> prefixes, List<String> texts) {
    List<Scoring.Sequence> sequences = new ArrayList<>();
    for (String prefix : prefixes) {
      for (String text : texts) {
        sequences.add(sequence(prefix, text));
      }
    }
    List<double[]> scores = result(() -> new Scoring(model, sequences));
    List<TextScore> result = new ArrayList<>();
    for (int i = 0; i < sequences.size(); i++) {
      String text = texts.get(i % texts.size());
      result.add(textScore(sequences.get(i), scores.get(i), text));
    }
    return result;
  }

  private <T> T result(Supplier<Reading<T>> making) {
    Reading<T> reading =
        model
            .lifetime()
            .whileOpen(
                () -> {
                  Reading<T> made = making.get();
                  engine.submit(made);
                  return made;
                });
    return reading.await(engine);
  }

  private Scoring.Sequence sequence(String prefix, String text) {
    int[] before = model.promptIds(prefix);
    int[] ids = model.promptIds(prefix + text);
    int differing = Arrays.mismatch(before, ids);
    int from = differing < 0 ? ids.length : differing;
    if (from == 0) { // nothing is before the first token
      IntStream begin = IntStream.of(model.promptIds("")[0]);
      ids = IntStream.concat(begin, IntStream.of(ids)).toArray();
      from = 1;
    }
    if (from == ids.length) {
      throw new IllegalArgumentException("the text has no token to score");
    }
    return new Scoring.Sequence(ids, from);
  }

  private TextScore textScore(Scoring.Sequence sequence, double[] scores, String text) {
    Tokenizer tokenizer = model.tokenizer();
    List<TokenScore> tokens = new ArrayList<>();
    for (int i = 0; i < scores.length; i++) {
      int id = sequence.ids()[sequence.from() + i];
      tokens.add(new TokenScore(id, tokenizer.decode(id), scores[i]));
    }
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    return new TextScore(tokens, sequence.from(), bytes);
  }
}
