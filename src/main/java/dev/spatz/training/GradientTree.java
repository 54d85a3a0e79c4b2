package dev.spatz.training;

import dev.spatz.kernel.Kernels;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;
import java.util.ArrayList;
import java.util.List;

/**
 * Sums the gradients of a step's shards in a fixed binary tree, whatever the number of threads, so
 * that the sum's bits depend on the shards alone.
 *
 * <p>The tree's nodes near its root, at least one for each thread, are the tasks of a step: a task
 * runs all shards under its node, one after the other, and holds its sum in one buffer, with one
 * more for every level below it. The sums of the tasks are then added range by range.
 */
final class GradientTree implements AutoCloseable {
  /** Shards {@code from}…{@code to − 1} are under this node. */
  record Node(int from, int to) {
    int size() {
      return to - from;
    }

    Node left() {
      return new Node(from, from + size() / 2);
    }

    Node right() {
      return new Node(from + size() / 2, to);
    }
  }

  /** Runs one shard, whose gradients overwrite what was there. */
  interface Shard {
    void run(WorkerTeam.Worker worker, int index, ParameterSet gradients);
  }

  private record Addition(ParameterSet target, ParameterSet source) {}

  private final List<Node> tasks = new ArrayList<>();
  private final List<ParameterSet> sums = new ArrayList<>();
  private final List<List<ParameterSet>> scratch = new ArrayList<>();
  private final List<Addition> additions = new ArrayList<>();

  /** A tree over {@code shards} shards for {@code threads} threads. */
  GradientTree(Transformer transformer, int shards, int threads) {
    split(transformer, new Node(0, shards), depth(shards, threads));
  }

  /** How often the root is split, so that there is a task for each thread. */
  private static int depth(int shards, int threads) {
    int depth = 0;
    while (1 << depth < Math.min(threads, shards)) {
      depth++;
    }
    return depth;
  }

  /** The number of buffers of gradients that a tree has. */
  static int buffers(int shards, int threads) {
    return buffers(new Node(0, shards), depth(shards, threads));
  }

  private static int buffers(Node node, int depth) {
    return depth > 0 && node.size() > 1
        ? buffers(node.left(), depth - 1) + buffers(node.right(), depth - 1)
        : 1 + levels(node.size());
  }

  /** How many levels are below a node of so many shards. */
  private static int levels(int shards) {
    return shards > 1 ? 1 + levels((shards + 1) / 2) : 0;
  }

  /** Makes the tasks under a node; returns the buffer in which their sum will be. */
  private ParameterSet split(Transformer transformer, Node node, int depth) {
    if (depth > 0 && node.size() > 1) {
      ParameterSet left = split(transformer, node.left(), depth - 1);
      ParameterSet right = split(transformer, node.right(), depth - 1);
      additions.add(new Addition(left, right));
      return left;
    }
    tasks.add(node);
    List<ParameterSet> levels = new ArrayList<>();
    for (int level = 0; level < levels(node.size()); level++) {
      levels.add(zeros(transformer));
    }
    scratch.add(levels);
    ParameterSet sum = zeros(transformer);
    sums.add(sum);
    return sum;
  }

  private static ParameterSet zeros(Transformer transformer) {
    return ParameterSet.zeros(transformer.trained().layout(), transformer.dataType());
  }

  /** The number of tasks; each is run once a step, by any thread. */
  int tasks() {
    return tasks.size();
  }

  /** Runs the shards of a task and sums their gradients. */
  void run(int task, WorkerTeam.Worker worker, Shard shard) {
    sum(tasks.get(task), 0, scratch.get(task), sums.get(task), worker, shard);
  }

  private static void sum(
      Node node,
      int level,
      List<ParameterSet> scratch,
      ParameterSet into,
      WorkerTeam.Worker worker,
      Shard shard) {
    if (node.size() == 1) {
      shard.run(worker, node.from(), into);
      return;
    }
    ParameterSet other = scratch.get(level);
    sum(node.left(), level + 1, scratch, into, worker, shard);
    sum(node.right(), level + 1, scratch, other, worker, shard);
    worker.kernels.addRange(into.flat(), other.flat(), 0, into.layout().elements());
  }

  /** Adds the tasks' sums, elements {@code from}…{@code to − 1}, into {@link #total()}. */
  void combine(Kernels kernels, long from, long to) {
    for (Addition addition : additions) {
      kernels.addRange(addition.target.flat(), addition.source.flat(), from, to);
    }
  }

  /** The sum over all shards, complete when all tasks have run and all ranges are combined. */
  ParameterSet total() {
    return sums.get(0);
  }

  /** Bytes off the heap. */
  long bytes() {
    long buffers = sums.size() + scratch.stream().mapToLong(List::size).sum();
    return buffers * total().bytes();
  }

  @Override
  public void close() {
    sums.forEach(ParameterSet::close);
    scratch.forEach(levels -> levels.forEach(ParameterSet::close));
  }
}
