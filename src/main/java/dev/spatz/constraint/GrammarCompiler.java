package dev.spatz.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A grammar → a program, built from the end of each rule to its beginning. */
final class GrammarCompiler {
  /** A grammar from outside must not take all memory. */
  private static final int MOST_NODES = 500_000;

  private static final int DEEPEST = 1000;

  private final Grammar grammar;
  private final CodePoints alphabet;
  private final List<Program.Node> nodes = new ArrayList<>();
  private final Map<String, Integer> starts = new HashMap<>();

  /** What a set is as bytes; a repetition has the same set again and again. */
  private final Map<CodePoints, List<List<Utf8.ByteRange>>> bytes = new IdentityHashMap<>();

  private int size; // nodes, and the ways out of them
  private int depth;

  private GrammarCompiler(Grammar grammar, CodePoints alphabet) {
    this.grammar = grammar;
    this.alphabet = alphabet;
  }

  /**
   * Compiles a grammar.
   *
   * @param alphabet the characters that the tokenizer has tokens for
   * @throws IllegalArgumentException if it is too large, a rule is missing or begins with itself,
   *     or no text matches it
   */
  static Program compile(Grammar grammar, CodePoints alphabet) {
    GrammarCompiler compiler = new GrammarCompiler(grammar, alphabet);
    for (String rule : new TreeMap<>(grammar.rules()).keySet()) {
      compiler.starts.put(rule, compiler.add(new Program.Split(new int[1])));
    }
    for (Map.Entry<String, Expression> rule : new TreeMap<>(grammar.rules()).entrySet()) {
      int end = compiler.add(new Program.Return());
      int first = compiler.node(rule.getValue(), end);
      compiler.nodes.set(compiler.starts.get(rule.getKey()), new Program.Split(new int[] {first}));
    }
    Integer root = compiler.starts.get(grammar.root());
    if (root == null) {
      throw new IllegalArgumentException("there is no rule " + grammar.root());
    }
    Program program = new Program(List.copyOf(compiler.nodes), root);
    compiler.requireNoLeftRecursion(program);
    if (program.leastBytes(root) >= Program.NEVER) {
      throw new IllegalArgumentException(
          "no text of this model's characters matches the constraint");
    }
    return program;
  }

  private int add(Program.Node node) {
    size += node instanceof Program.Split split ? split.next().length : 1;
    if (size > MOST_NODES) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the constraint is too large: it needs more than %,d nodes; repeat less",
              MOST_NODES));
    }
    nodes.add(node);
    return nodes.size() - 1;
  }

  /** The first node of an expression, after which {@code next} follows. */
  private int node(Expression expression, int next) {
    if (++depth > DEEPEST) {
      throw new IllegalArgumentException(
          "the constraint is nested deeper than " + DEEPEST + " levels");
    }
    try {
      if (expression instanceof Expression.Characters characters) {
        return characters(characters.set(), next);
      }
      if (expression instanceof Expression.Sequence sequence) {
        int first = next;
        for (int i = sequence.parts().size() - 1; i >= 0; i--) {
          first = node(sequence.parts().get(i), first);
        }
        return first;
      }
      if (expression instanceof Expression.Choice choice) {
        return add(
            new Program.Split(
                choice.options().stream().mapToInt(option -> node(option, next)).toArray()));
      }
      if (expression instanceof Expression.Repeat repeat) {
        return repeat(repeat, next);
      }
      return call(((Expression.Reference) expression).rule(), next);
    } finally {
      depth--;
    }
  }

  private int characters(CodePoints set, int next) {
    List<Integer> firsts = new ArrayList<>();
    Map<List<Object>, Integer> shared = new HashMap<>(); // ends that several sequences have
    for (List<Utf8.ByteRange> sequence : bytes(set)) {
      int first = next;
      for (int i = sequence.size() - 1; i >= 0; i--) {
        Utf8.ByteRange range = sequence.get(i);
        int after = first;
        first =
            shared.computeIfAbsent(
                List.of(range, after),
                any -> add(new Program.Take(range.first(), range.last(), after)));
      }
      if (!firsts.contains(first)) {
        firsts.add(first);
      }
    }
    return firsts.size() == 1
        ? firsts.get(0)
        : add(new Program.Split(firsts.stream().mapToInt(Integer::intValue).toArray()));
  }

  private List<List<Utf8.ByteRange>> bytes(CodePoints set) {
    return bytes.computeIfAbsent(set, same -> Utf8.sequences(same.and(alphabet)));
  }

  private int repeat(Expression.Repeat repeat, int next) {
    int first = next;
    if (repeat.most() == Expression.UNBOUNDED) {
      int loop = add(new Program.Split(new int[1]));
      int body = node(repeat.part(), loop);
      nodes.set(loop, new Program.Split(new int[] {body, next}));
      first = loop;
    } else {
      for (int i = repeat.least(); i < repeat.most(); i++) {
        first = add(new Program.Split(new int[] {node(repeat.part(), first), next}));
      }
    }
    for (int i = 0; i < repeat.least(); i++) {
      int before = first;
      first = node(repeat.part(), first);
      if (first == before) {
        break; // an empty part, however often
      }
    }
    return first;
  }

  private int call(String rule, int next) {
    Integer start = starts.get(rule);
    if (start == null) {
      throw new IllegalArgumentException("there is no rule " + rule);
    }
    return add(new Program.Call(start, next));
  }

  // ---- left recursion ----

  /** A rule that can begin with itself before any byte would be called without an end. */
  private void requireNoLeftRecursion(Program program) {
    Set<Integer> empty = new HashSet<>(starts.values());
    empty.removeIf(start -> program.leastBytes(start) > 0);
    Set<Integer> done = new HashSet<>();
    for (Map.Entry<String, Integer> rule : new TreeMap<>(starts).entrySet()) {
      Map<Integer, Iterator<Integer>> open = new LinkedHashMap<>(); // each called by the one before
      Deque<Integer> path = new ArrayDeque<>(List.of(rule.getValue()));
      while (!path.isEmpty()) {
        int at = path.peek();
        Iterator<Integer> calls =
            open.computeIfAbsent(at, start -> firstCalls(start, empty).iterator());
        if (done.contains(at) || !calls.hasNext()) {
          done.add(path.pop());
          open.remove(at);
          continue;
        }
        int called = calls.next();
        if (open.containsKey(called)) {
          throw new IllegalArgumentException(
              "rule " + name(called) + " can begin with itself; write it with a repetition");
        }
        path.push(called);
      }
    }
  }

  private String name(int start) {
    return starts.entrySet().stream()
        .filter(rule -> rule.getValue() == start)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow();
  }

  /** The rules that a rule can call before it has taken a byte. */
  private Set<Integer> firstCalls(int start, Set<Integer> empty) {
    Set<Integer> calls = new LinkedHashSet<>();
    Set<Integer> seen = new HashSet<>();
    Deque<Integer> open = new ArrayDeque<>(List.of(start));
    while (!open.isEmpty()) {
      int at = open.pop();
      if (!seen.add(at)) {
        continue;
      }
      Program.Node node = nodes.get(at);
      if (node instanceof Program.Split split) {
        for (int next : split.next()) {
          open.push(next);
        }
      } else if (node instanceof Program.Call call) {
        calls.add(call.rule());
        if (empty.contains(call.rule())) {
          open.push(call.next());
        }
      }
    }
    return calls;
  }
}
