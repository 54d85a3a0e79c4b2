package dev.spatz.training;

import dev.spatz.dataset.Sequences;
import dev.spatz.kernel.WriteMode;
import dev.spatz.transformer.DropoutSites;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The better one of two answers shall gain probability over the other one, see {@link
 * PreferenceConfig}. Pairs are what is counted.
 *
 * <p>The gradient of a pair's loss is that of the cross-entropy of its tokens, those of the chosen
 * answer times {@code −beta·(derivative by the margin)}, those of the rejected one times the
 * opposite: two factors, known when the losses of both answers are. That is why a pair lies in one
 * sequence.
 */
final class PreferenceObjective implements Objective {
  private final Transformer transformer;
  private final Sequences train;
  private final Sequences validation;
  private final PreferenceConfig config;
  private final ReferenceAnswers trainReference;
  private final ReferenceAnswers validationReference;
  private boolean measured;

  /** Log-probabilities of the answers before training. */
  interface Reference {
    /** That of an answer of a sequence, both counted from 0. */
    double of(int sequence, int answer);
  }

  /** An objective without a reference yet. */
  PreferenceObjective(
      Transformer transformer, Sequences train, Sequences validation, PreferenceConfig config) {
    this.transformer = transformer;
    this.train = train;
    this.validation = validation;
    this.config = config;
    this.trainReference = new ReferenceAnswers(train);
    this.validationReference = new ReferenceAnswers(validation);
  }

  @Override
  public Sequences train() {
    return train;
  }

  /** The reference is the model as it is now. */
  @Override
  public void begin(int atATime, WorkerTeam team) {
    if (measured) {
      return;
    }
    long elements = transformer.trained().layout().elements();
    team.forEach(1, (worker, any) -> transformer.refresh(worker.kernels, 0, elements));
    trainReference.set(logProbabilities(whole(transformer, train, atATime, team), config));
    validationReference.set(
        logProbabilities(whole(transformer, validation, atATime, team), config));
    measured = true;
  }

  @Override
  public Map<String, INDArray> state() {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    arrays.put("reference.train", trainReference.values());
    arrays.put("reference.validation", validationReference.values());
    return arrays;
  }

  private static Walk whole(
      Transformer transformer, Sequences sequences, int atATime, WorkerTeam team) {
    return Walk.of(transformer::loss, sequences, Long.MAX_VALUE, atATime, team);
  }

  /** Log-probabilities of the answers, by place in the walk and example. */
  static double[][] logProbabilities(Walk walk, PreferenceConfig config) {
    double[][] all = new double[walk.losses().length][];
    for (int place = 0; place < all.length; place++) {
      all[place] = new double[walk.losses()[place].length];
      for (int i = 0; i < all[place].length; i++) {
        int tokens = config.lengthNormalized() ? walk.targets()[place][i] : 1;
        all[place][i] = -walk.losses()[place][i] / tokens;
      }
    }
    return all;
  }

  @Override
  public long counted(long sequence) {
    return train.examples(sequence) / 2;
  }

  @Override
  public double lossAndGradients(
      WorkerTeam.Worker worker,
      WorkerTeam.Pass pass,
      double scale,
      DropoutSites dropout,
      WriteMode mode,
      ParameterSet gradients) {
    return transformer.lossAndGradients(
        worker.kernels,
        pass.workspace,
        pass.inputs,
        pass.targets,
        scale,
        (losses, factors) -> weigh(pass, losses, factors),
        dropout,
        mode,
        gradients);
  }

  private double weigh(WorkerTeam.Pass pass, double[] losses, double[] factors) {
    double loss = 0;
    for (int sequence = 0; sequence < pass.count(); sequence++) {
      long number = pass.number(sequence);
      int[] lengths = train.lengths(number);
      int place = Math.toIntExact(number);
      int from = sequence * train.length();
      for (int i = 0; i < train.examples(number); i += 2) {
        int middle = from + lengths[i];
        int to = middle + lengths[i + 1];
        Answer chosen = new Answer(pass, losses, from, middle, trainReference.of(place, i));
        Answer rejected = new Answer(pass, losses, middle, to, trainReference.of(place, i + 1));
        double margin = config.beta() * (chosen.gain - rejected.gain);
        double slope = config.beta() * config.slope(margin);
        Arrays.fill(factors, from, middle, -slope / chosen.tokens);
        Arrays.fill(factors, middle, to, slope / rejected.tokens);
        loss += config.loss(margin);
        from = to;
      }
      Arrays.fill(factors, from, (sequence + 1) * train.length(), 0);
    }
    return loss;
  }

  /** An answer in rows of a pass: by what its log-probability is divided, and what it gained. */
  private final class Answer {
    final int tokens;
    final double gain;

    Answer(WorkerTeam.Pass pass, double[] losses, int from, int to, double reference) {
      tokens = config.lengthNormalized() ? Walk.targets(pass.targets, from, to) : 1;
      gain = -Arrays.stream(losses, from, to).sum() / tokens - reference;
    }
  }

  @Override
  public Evaluation evaluate(long most, int atATime, WorkerTeam team) {
    Walk walk = Walk.of(transformer::loss, validation, most, atATime, team);
    return evaluation(walk, validation, config, validationReference);
  }

  /**
   * Of the chosen answers, with what is known of the pairs.
   *
   * @param reference of the same sequences
   */
  static Evaluation evaluation(
      Walk walk, Sequences sequences, PreferenceConfig config, Reference reference) {
    double[][] now = logProbabilities(walk, config);
    List<Pair> pairs = new ArrayList<>();
    long bytes = 0;
    for (int place = 0; place < now.length; place++) {
      long k = place * walk.stride();
      double[] answers = now[place];
      for (int i = 0; i < answers.length; i += 2) {
        double chosen = answers[i];
        double rejected = answers[i + 1];
        double chosenBefore = reference.of(Math.toIntExact(k), i);
        double rejectedBefore = reference.of(Math.toIntExact(k), i + 1);
        double margin = config.beta() * (chosen - chosenBefore - rejected + rejectedBefore);
        double loss = walk.losses()[place][i];
        pairs.add(new Pair(loss, walk.targets()[place][i], chosen, rejected, margin));
        bytes += sequences.textBytes(k, i);
      }
    }
    PreferenceEvaluation preferences =
        new PreferenceEvaluation(
            pairs.size(),
            pairs.stream().filter(pair -> pair.chosen > pair.rejected).count(),
            pairs.stream().filter(pair -> pair.margin > 0).count(),
            mean(pairs, pair -> config.loss(pair.margin)),
            mean(pairs, Pair::margin),
            mean(pairs, Pair::chosen),
            mean(pairs, Pair::rejected));
    return Evaluation.of(
            pairs.stream().mapToDouble(Pair::loss).toArray(),
            pairs.stream().mapToInt(Pair::targets).toArray(),
            bytes)
        .withPreferences(preferences);
  }

  /**
   * A pair that was measured.
   *
   * @param loss of the chosen answer's targets, a sum
   * @param targets of the chosen answer
   * @param chosen log-probability of the chosen answer
   * @param rejected log-probability of the rejected answer
   * @param margin see {@link PreferenceConfig}
   */
  private record Pair(double loss, int targets, double chosen, double rejected, double margin) {}

  private static double mean(List<Pair> pairs, ToDoubleFunction<Pair> value) {
    return pairs.stream().mapToDouble(value).average().orElseThrow();
  }

  @Override
  public void close() {
    trainReference.close();
    validationReference.close();
  }
}
