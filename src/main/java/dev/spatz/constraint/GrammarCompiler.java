package dev.spatz.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
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
    compiler.requireNoLeftRecursion();
    Program program = new Program(List.copyOf(compiler.nodes), root);
    if (program.leastBytes(root) >= Program.NEVER) {
      throw new IllegalArgumentException(
          "no text of this model's characters matches the constraint");
    }
    return program;
  }

  private int add(Program.Node node) {
    if (nodes.size() == MOST_NODES) {
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
    for (List<Utf8.ByteRange> sequence : Utf8.sequences(set.and(alphabet))) {
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
      first = node(repeat.part(), first);
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
  private void requireNoLeftRecursion() {
    Set<Integer> empty = emptyRules();
    Map<Integer, Set<Integer>> begins = new HashMap<>();
    starts.values().forEach(start -> begins.put(start, firstCalls(start, empty)));
    for (Map.Entry<String, Integer> rule : starts.entrySet()) {
      Set<Integer> seen = new HashSet<>();
      Deque<Integer> open = new ArrayDeque<>(begins.get(rule.getValue()));
      while (!open.isEmpty()) {
        int called = open.pop();
        if (called == rule.getValue()) {
          throw new IllegalArgumentException(
              "rule " + rule.getKey() + " can begin with itself; write it with a repetition");
        }
        if (seen.add(called)) {
          open.addAll(begins.get(called));
        }
      }
    }
  }

  /** The rules that match the empty text, by their first nodes. */
  private Set<Integer> emptyRules() {
    Set<Integer> empty = new HashSet<>();
    boolean changed = true;
    while (changed) {
      changed = false;
      for (int start : starts.values()) {
        if (!empty.contains(start) && reachesReturn(start, empty)) {
          empty.add(start);
          changed = true;
        }
      }
    }
    return empty;
  }

  private boolean reachesReturn(int start, Set<Integer> empty) {
    return walk(start, empty, new HashSet<>());
  }

  private Set<Integer> firstCalls(int start, Set<Integer> empty) {
    Set<Integer> calls = new HashSet<>();
    walk(start, empty, calls);
    return calls;
  }

  /** Walks without taking a byte; notes calls; says whether the end of the rule is reached. */
  private boolean walk(int start, Set<Integer> empty, Set<Integer> calls) {
    boolean returns = false;
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
      } else if (node instanceof Program.Return) {
        returns = true;
      }
    }
    return returns;
  }
}
