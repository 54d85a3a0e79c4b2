package dev.spatz.constraint;

import java.util.Arrays;
import java.util.List;

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
    boolean changed = true;
    while (changed) { // until nothing gets shorter
      changed = false;
      for (int i = nodes.size() - 1; i >= 0; i--) {
        int least = least(nodes.get(i));
        if (least < leastBytes[i]) {
          leastBytes[i] = least;
          changed = true;
        }
      }
    }
  }

  /** The fewest bytes from a node to the end of its rule; {@link #NEVER} if there is no way. */
  int leastBytes(int node) {
    return leastBytes[node];
  }

  private int least(Node node) {
    if (node instanceof Take take) {
      return Math.min(NEVER, 1 + leastBytes[take.next]);
    }
    if (node instanceof Call call) {
      return Math.min(NEVER, leastBytes[call.rule] + leastBytes[call.next]);
    }
    if (node instanceof Split split) {
      return Arrays.stream(split.next).map(next -> leastBytes[next]).min().orElse(NEVER);
    }
    return 0;
  }
}
