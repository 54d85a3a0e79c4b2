package dev.spatz.generation;

import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The log-probabilities of texts' tokens. The texts are read one after the other in one cache; what
 * a text begins with as the one before it is not read again.
 */
final class Scoring extends Reading<List<double[]>> {
  private final List<Sequence> sequences;
  private final List<double[]> scores = new ArrayList<>();
  private final float[] logits;

  /** Logits of the first scored token of the current sequence, and of others with its prefix. */
  private final float[] afterPrefix;

  /** Scores of the current sequence, null before it is begun. */
  private double @Nullable [] current;

  /**
   * A text.
   *
   * @param ids tokens, at least one more than {@code from}
   * @param from the first token that is scored, at least 1
   */
  record Sequence(int[] ids, int from) {
    int[] prefix() {
      return Arrays.copyOf(ids, from);
    }

    /** The last token predicts nothing that is asked for. */
    int toRead() {
      return ids.length - 1;
    }
  }

  /** A scoring of sequences of which there is at least one. */
  Scoring(ModelParts model, List<Sequence> sequences) {
    super(model, sequences.stream().mapToInt(Sequence::toRead).max().orElseThrow());
    this.sequences = sequences;
    // The model's vocabulary may be padded with ids that mean nothing.
    this.logits = new float[model.tokenizer().vocabularySize()];
    this.afterPrefix = new float[logits.length];
  }

  @Override
  void read(Means means, KeyValueCache cache, int most) {
    boolean passed = false;
    while (!passed && scores.size() < sequences.size()) {
      Sequence sequence = sequences.get(scores.size());
      double[] own = current == null ? begin(means, sequence, cache) : current;
      current = own;
      if (cache.length() < sequence.from) {
        readPrefix(means, sequence, cache, most, own);
        passed = true;
      } else if (cache.length() < sequence.toRead()) {
        readText(means, sequence, cache, most, own);
        passed = true;
      }
      if (cache.length() == sequence.toRead()) {
        scores.add(own);
        current = null;
      }
    }
    if (scores.size() == sequences.size()) {
      result.complete(scores);
    }
  }

  private double[] begin(Means means, Sequence sequence, KeyValueCache cache) {
    if (scores.isEmpty()) {
      means.prefixes().begin(sequence.prefix(), cache);
    } else {
      keepShared(sequences.get(scores.size() - 1), sequence, cache);
    }
    means.counters().begun(sequence.toRead(), cache.length());
    double[] own = new double[sequence.ids.length - sequence.from];
    if (cache.length() == sequence.from) {
      own[0] = LogSoftmax.of(afterPrefix, sequence.ids[sequence.from]);
    }
    return own;
  }

  /** Forgets all but what two sequences begin with, up to the token whose logits are needed. */
  private static void keepShared(Sequence before, Sequence sequence, KeyValueCache cache) {
    int differing = Arrays.mismatch(before.ids, sequence.ids);
    int shared = differing < 0 ? before.ids.length : differing;
    boolean samePrefix = before.from == sequence.from && shared >= sequence.from;
    cache.truncate(samePrefix ? sequence.from : Math.min(shared, sequence.from - 1));
  }

  private void readPrefix(
      Means means, Sequence sequence, KeyValueCache cache, int most, double[] own) {
    int from = cache.length();
    int to = (int) Math.min(sequence.from, (long) from + most);
    int[] part = Arrays.copyOfRange(sequence.ids, from, to);
    INDArray row = means.decoder().accept(means.kernels(), cache, part);
    means.prefixes().keep(sequence.prefix(), from, cache);
    if (to == sequence.from) {
      Tensors.read(row, 0, afterPrefix, 0, afterPrefix.length);
      own[0] = LogSoftmax.of(afterPrefix, sequence.ids[to]);
    }
  }

  private void readText(
      Means means, Sequence sequence, KeyValueCache cache, int most, double[] own) {
    int from = cache.length();
    int to = (int) Math.min(sequence.toRead(), (long) from + most);
    int[] part = Arrays.copyOfRange(sequence.ids, from, to);
    Decoder.RowReader reader =
        (rows, first, count) -> {
          for (int row = 0; row < count; row++) {
            Tensors.read(rows, row * rows.size(1), logits, 0, logits.length);
            int next = from + first + row + 1;
            own[next - sequence.from] = LogSoftmax.of(logits, sequence.ids[next]);
          }
        };
    means.decoder().acceptForLogits(means.kernels(), cache, part, reader);
  }
}
