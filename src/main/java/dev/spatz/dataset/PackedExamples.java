package dev.spatz.dataset;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Examples packed into sequences: by falling length, each into the first sequence that has room. An
 * example takes a multiple of {@value #STEP} tokens, so that attention knows few lengths; what
 * remains of a sequence is filled with nothing to predict.
 *
 * <p>A sequence has T tokens; where examples come in groups that must stay together, as the answers
 * that are compared do, so many times T as a group has examples.
 */
final class PackedExamples implements Sequences {
  private static final int STEP = 16;

  private final int contextLength;
  private final int length;
  private final int[] textBytes;
  private final List<List<EncodedExample>> sequences = new ArrayList<>();
  private final long allTargets;

  /**
   * Packs groups of examples.
   *
   * @param groupSize examples of each group
   * @param textBytes bytes of text that each id stands for
   * @throws IllegalArgumentException if an example has more than T + 1 tokens
   */
  PackedExamples(
      List<List<EncodedExample>> groups, int groupSize, int contextLength, int[] textBytes) {
    this.contextLength = contextLength;
    this.length = groupSize * contextLength;
    this.textBytes = textBytes;
    List<Integer> room = new ArrayList<>();
    List<List<EncodedExample>> byLength = new ArrayList<>(groups);
    byLength.sort(Comparator.comparingInt(PackedExamples::tokens).reversed());
    for (List<EncodedExample> group : byLength) {
      int rows = group.stream().mapToInt(this::rows).sum();
      int into = 0;
      while (into < room.size() && room.get(into) < rows) {
        into++;
      }
      if (into == room.size()) {
        room.add(length);
        sequences.add(new ArrayList<>());
      }
      room.set(into, room.get(into) - rows);
      sequences.get(into).addAll(group);
    }
    this.allTargets =
        groups.stream().flatMap(List::stream).mapToLong(EncodedExample::targets).sum();
  }

  private static int tokens(List<EncodedExample> group) {
    return group.stream().mapToInt(example -> example.ids().length).sum();
  }

  /** Rows of a pass that an example takes; its last token is only predicted. */
  private int rows(EncodedExample example) {
    int inputs = example.ids().length - 1;
    if (inputs > contextLength) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "an example of %,d tokens exceeds the contextLength (%,d) + 1",
              inputs + 1,
              contextLength));
    }
    return Math.min(contextLength, (inputs + STEP - 1) / STEP * STEP);
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public long starts() {
    return sequences.size();
  }

  @Override
  public boolean inEpochs() {
    return true;
  }

  @Override
  public void sample(long start, int[] inputs, int[] targets, int offset) {
    read(start, inputs, targets, offset);
  }

  @Override
  public int targets(long start) {
    return sequence(start).stream().mapToInt(EncodedExample::targets).sum();
  }

  @Override
  public long count() {
    return sequences.size();
  }

  @Override
  public long allTargets() {
    return allTargets;
  }

  @Override
  public int read(long k, int[] inputs, int[] targets, int offset) {
    Objects.checkFromIndexSize(offset, length, Math.min(inputs.length, targets.length));
    Arrays.fill(inputs, offset, offset + length, 0);
    Arrays.fill(targets, offset, offset + length, NO_TARGET);
    int at = offset;
    for (EncodedExample example : sequence(k)) {
      int[] ids = example.ids();
      System.arraycopy(ids, 0, inputs, at, ids.length - 1);
      for (int i = 1; i < ids.length; i++) {
        if (example.predicted()[i]) {
          targets[at + i - 1] = ids[i];
        }
      }
      at += rows(example);
    }
    return targets(k);
  }

  @Override
  public int examples(long k) {
    return sequence(k).size();
  }

  @Override
  public long textBytes(long k, int number) {
    EncodedExample example = sequence(k).get(number);
    long bytes = 0;
    for (int i = 1; i < example.ids().length; i++) {
      bytes += example.predicted()[i] ? textBytes[example.ids()[i]] : 0;
    }
    return bytes;
  }

  @Override
  public boolean packed() {
    return true;
  }

  @Override
  public int[] lengths(long k) {
    List<EncodedExample> examples = sequence(k);
    int rest = length - examples.stream().mapToInt(this::rows).sum();
    int fillers = (rest + contextLength - 1) / contextLength;
    int[] lengths = new int[examples.size() + fillers];
    for (int i = 0; i < lengths.length; i++) {
      boolean filler = i >= examples.size();
      lengths[i] = filler ? Math.min(rest, contextLength) : rows(examples.get(i));
      rest -= filler ? lengths[i] : 0;
    }
    return lengths;
  }

  private List<EncodedExample> sequence(long k) {
    return sequences.get(Math.toIntExact(k));
  }
}
