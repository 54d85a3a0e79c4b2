package dev.spatz.constraint;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * A grammar as nodes of a machine, each with one or more followers: one for a byte, one for an
 * alternative, one that calls a rule, one that returns from it.
 */
final class Program {
  /** More than any text has bytes. */
  static final int NEVER = 1 << 29;

  final List<Node> nodes;
  final int start;
  private final int[] leastBytes;

  /** A node. */
  sealed interface Node {}

  /** Takes a byte from {@code first} to {@code last}. */
  record Take(int first, int last, int next) implements Node {}

  /** Goes on at any of these. */
  record Split(int[] next) implements Node {}

  /** Runs a rule from its first node, and then goes on. */
  record Call(int rule, int next) implements Node {}

  /** The end of a rule. */
  record Return() implements Node {}

  Program(List<Node> nodes, int start) {
    this.nodes = nodes;
    this.start = start;
    this.leastBytes = new int[nodes.size()];
    Arrays.fill(leastBytes, NEVER);
    findLeastBytes();
  }

  /** From the ends of the rules to their beginnings: where something got shorter, so may before. */
  private void findLeastBytes() {
    int[] firstUser = new int[nodes.size() + 1];
    nodes.forEach(node -> followers(node, follower -> firstUser[follower + 1]++));
    for (int i = 0; i < nodes.size(); i++) {
      firstUser[i + 1] += firstUser[i];
    }
    int[] users = new int[firstUser[nodes.size()]];
    int[] known = new int[nodes.size()];
    Deque<Integer> open = new ArrayDeque<>();
    for (int i = 0; i < nodes.size(); i++) {
      int user = i;
      followers(nodes.get(i), to -> users[firstUser[to] + known[to]++] = user);
      if (nodes.get(i) instanceof Return) {
        leastBytes[i] = 0;
        open.add(i);
      }
    }
    while (!open.isEmpty()) {
      int shorter = open.remove();
      for (int i = firstUser[shorter]; i < firstUser[shorter + 1]; i++) {
        int least = least(nodes.get(users[i]), shorter);
        if (least < leastBytes[users[i]]) {
          leastBytes[users[i]] = least;
          open.add(users[i]);
        }
      }
    }
  }

  private static void followers(Node node, IntConsumer to) {
    if (node instanceof Take take) {
      to.accept(take.next);
    } else if (node instanceof Split split) {
      Arrays.stream(split.next).forEach(to);
    } else if (node instanceof Call call) {
      to.accept(call.rule);
      to.accept(call.next);
    }
  }

  /** The fewest bytes from a node to the end of its rule; {@link #NEVER} if there is no way. */
  int leastBytes(int node) {
    return leastBytes[node];
  }

  /** The fewest bytes from a node by way of a follower. */
  private int least(Node node, int follower) {
    if (node instanceof Take) {
      return Math.min(NEVER, 1 + leastBytes[follower]);
    }
    if (node instanceof Call call) {
      return Math.min(NEVER, leastBytes[call.rule] + leastBytes[call.next]);
    }
    return leastBytes[follower];
  }
}
