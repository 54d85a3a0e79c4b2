package dev.spatz.constraint;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Runs a program over bytes, all its ways at once (Thompson 1968, with a stack of calls for each
 * way). States that were seen are kept, so that a text of a regular language runs a deterministic
 * automaton soon. Safe for use by many threads.
 */
final class Machine {
  /** A state of more ways is taken for an attack, or for a grammar that means too many things. */
  private static final int MOST_WAYS = 10_000;

  /** So many states are kept; then it begins anew. */
  private static final int MOST_STATES = 20_000;

  private static final int BYTES = 256;

  private final Program program;
  private final Map<Frame, Frame> frames = new HashMap<>();
  private Map<Set<Way>, State> states = new HashMap<>();
  private State start;

  /** Where a call goes on when it returns; one object for each value. */
  private record Frame(int next, @Nullable Frame parent, int leastBytes) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Frame frame && frame.next == next && frame.parent == parent;
    }

    @Override
    public int hashCode() {
      return 31 * next + System.identityHashCode(parent);
    }
  }

  /** A node that takes a byte, or the end of the whole text (−1), and the calls it is within. */
  private record Way(int node, @Nullable Frame frame) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Way way && way.node == node && way.frame == frame;
    }

    @Override
    public int hashCode() {
      return 31 * node + System.identityHashCode(frame);
    }
  }

  /** After some bytes. */
  final class State {
    private final Set<Way> ways;
    private final @Nullable State[] next = new State[BYTES];
    private final boolean[] known = new boolean[BYTES];
    private final boolean accepting;
    private final int leastBytes;

    /** What a user of the machine keeps with a state. */
    volatile @Nullable Object attachment;

    private State(Set<Way> ways) {
      this.ways = ways;
      boolean end = false;
      int least = Program.NEVER;
      for (Way way : ways) {
        end |= way.node < 0;
        least = Math.min(least, Machine.this.leastBytes(way));
      }
      this.accepting = end;
      this.leastBytes = least;
    }

    /** Whether the bytes so far are a whole text. */
    boolean accepting() {
      return accepting;
    }

    /** Whether no byte can follow. */
    boolean complete() {
      return accepting && ways.size() == 1;
    }

    /** The fewest bytes to a whole text. */
    int leastBytes() {
      return leastBytes;
    }

    /** After one more byte, 0…255; null if it cannot come. */
    @Nullable State after(int value) {
      synchronized (Machine.this) {
        if (!known[value]) {
          next[value] = step(this, value);
          known[value] = true;
        }
        return next[value];
      }
    }
  }

  Machine(Program program) {
    this.program = program;
    this.start = begin();
  }

  /** Before the first byte. */
  synchronized State start() {
    if (states.size() > MOST_STATES) {
      states = new HashMap<>();
      frames.clear();
      start = begin();
    }
    return start;
  }

  private State begin() {
    Set<Way> ways = new HashSet<>();
    close(new Way(program.start, null), new HashSet<>(), ways);
    return state(ways);
  }

  private @Nullable State step(State from, int value) {
    Set<Way> ways = new HashSet<>();
    Set<Way> seen = new HashSet<>();
    for (Way way : from.ways) {
      if (way.node >= 0
          && program.nodes.get(way.node) instanceof Program.Take take
          && take.first() <= value
          && value <= take.last()) {
        close(new Way(take.next(), way.frame), seen, ways);
      }
    }
    return ways.isEmpty() ? null : state(ways);
  }

  private State state(Set<Way> ways) {
    return states.computeIfAbsent(ways, State::new);
  }

  private int leastBytes(Way way) {
    int rest = way.frame == null ? 0 : way.frame.leastBytes;
    return way.node < 0 ? 0 : Math.min(Program.NEVER, program.leastBytes(way.node) + rest);
  }

  /**
   * Adds the ways that go on with a byte, or have come to the end, from a node on; what was seen
   * before from another node is there already.
   */
  private void close(Way from, Set<Way> seen, Set<Way> into) {
    Deque<Way> open = new ArrayDeque<>();
    open.push(from);
    while (!open.isEmpty()) {
      Way way = open.pop();
      if (!seen.add(way) || leastBytes(way) >= Program.NEVER) {
        continue;
      }
      if (seen.size() > MOST_WAYS) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "the constraint has more than %,d ways to go on after some text; make it less"
                    + " ambiguous",
                MOST_WAYS));
      }
      Program.Node node = program.nodes.get(way.node);
      if (node instanceof Program.Take) {
        into.add(way);
      } else if (node instanceof Program.Split split) {
        for (int next : split.next()) {
          open.push(new Way(next, way.frame));
        }
      } else if (node instanceof Program.Call call) {
        // A call at the end of a rule returns where the rule does: recursion there needs no stack.
        boolean last = program.nodes.get(call.next()) instanceof Program.Return;
        open.push(new Way(call.rule(), last ? way.frame : frame(call.next(), way.frame)));
      } else if (way.frame == null) {
        into.add(new Way(-1, null));
      } else {
        open.push(new Way(way.frame.next, way.frame.parent));
      }
    }
  }

  private Frame frame(int next, @Nullable Frame parent) {
    int rest = parent == null ? 0 : parent.leastBytes;
    Frame frame = new Frame(next, parent, Math.min(Program.NEVER, program.leastBytes(next) + rest));
    return frames.computeIfAbsent(frame, same -> same);
  }
}
