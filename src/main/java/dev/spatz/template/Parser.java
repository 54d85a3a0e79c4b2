package dev.spatz.template;

import dev.spatz.template.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tokens → statements. */
final class Parser extends ExpressionParser {
  private boolean generation;

  Parser(List<Token> tokens) {
    super(tokens);
  }

  /** A whole template. */
  Node.Block template() {
    Node.Block all = block();
    if (peek().kind() != Kind.END) {
      next();
      throw error("there is no tag '" + peek().value() + "' here");
    }
    return all;
  }

  /** Whether the template says what a model is to say. */
  boolean hasGeneration() {
    return generation;
  }

  /** Statements up to a tag that none begins with, such as {@code endif}. */
  private Node.Block block() {
    enter();
    List<Node> nodes = new ArrayList<>();
    while (true) {
      Token token = peek();
      if (token.kind() == Kind.TEXT) {
        next();
        nodes.add(new Node.Literal(Text.of(token.value())));
      } else if (token.kind() == Kind.OUTPUT_BEGINS) {
        next();
        nodes.add(new Node.Output(tuple()));
        end(Kind.OUTPUT_ENDS);
      } else {
        Node node = token.kind() == Kind.TAG_BEGINS ? tag() : null;
        if (node == null) {
          leave();
          return new Node.Block(nodes);
        }
        nodes.add(node);
      }
    }
  }

  private void end(Kind kind) {
    if (next().kind() != kind) {
      throw error("a tag does not end where it could");
    }
  }

  /** A statement, or null where a block ends; the tag's beginning is then still there. */
  private @Nullable Node tag() {
    Token begins = next();
    Token name = peek();
    if (name.kind() == Kind.NAME) {
      switch (name.value()) {
        case "if" -> {
          return conditional();
        }
        case "for" -> {
          return loop();
        }
        case "set" -> {
          return assignment();
        }
        case "macro" -> {
          return macro();
        }
        case "filter" -> {
          return filtered();
        }
        case "generation" -> {
          next();
          end(Kind.TAG_ENDS);
          generation = true;
          Node.Block body = block();
          close("endgeneration");
          return new Node.Generation(body);
        }
        case "break", "continue" -> {
          next();
          end(Kind.TAG_ENDS);
          boolean leaves = name.value().equals("break");
          return new Node.Jump(leaves ? Node.Flow.BREAK : Node.Flow.CONTINUE);
        }
        case "elif",
            "else",
            "endif",
            "endfor",
            "endset",
            "endmacro",
            "endfilter",
            "endgeneration" -> {
          back();
          return null;
        }
        default -> throw error("the tag '" + name.value() + "' is not implemented");
      }
    }
    throw error("a tag is missing after " + begins);
  }

  /** The tag that must end a block. */
  private void close(String name) {
    if (peek().kind() != Kind.TAG_BEGINS) {
      throw error("'" + name + "' is missing before " + peek());
    }
    next();
    if (!skipName(name)) {
      throw error("'" + name + "' is missing before " + peek());
    }
    if (peek().kind() == Kind.NAME) {
      next(); // what is ended may be named again
    }
    end(Kind.TAG_ENDS);
  }

  private Node conditional() {
    List<Node.Branch> branches = new ArrayList<>();
    Node.Block otherwise = Node.Block.EMPTY;
    do {
      next(); // if, elif
      Expression condition = tuple();
      end(Kind.TAG_ENDS);
      branches.add(new Node.Branch(condition, block()));
    } while (beginsWith("elif"));
    if (beginsWith("else")) {
      next();
      end(Kind.TAG_ENDS);
      otherwise = block();
    }
    close("endif");
    return new Node.If(branches, otherwise);
  }

  /** Whether the next tag has this name, which is then next. */
  private boolean beginsWith(String name) {
    if (peek().kind() != Kind.TAG_BEGINS) {
      return false;
    }
    next();
    if (isName(name)) {
      return true;
    }
    back();
    return false;
  }

  private Node loop() {
    next();
    List<String> names = names();
    if (!skipName("in")) {
      throw error("'in' is missing before " + peek());
    }
    Expression values = or();
    if (isSign(",")) {
      throw error("a loop over several values needs brackets around them");
    }
    Expression condition = skipName("if") ? expression() : null;
    if (isName("recursive")) {
      throw error("recursive loops are not implemented");
    }
    end(Kind.TAG_ENDS);
    Node.Block body = block();
    Node.Block otherwise = Node.Block.EMPTY;
    if (beginsWith("else")) {
      next();
      end(Kind.TAG_ENDS);
      otherwise = block();
    }
    close("endfor");
    return new Node.For(names, values, condition, body, otherwise);
  }

  private List<String> names() {
    boolean brackets = skipSign("(");
    List<String> names = new ArrayList<>(List.of(requireName()));
    while (skipSign(",")) {
      names.add(requireName());
    }
    if (brackets) {
      requireSign(")");
    }
    return names;
  }

  private Node assignment() {
    next();
    List<String> names = names();
    String name = names.get(0);
    if (names.size() == 1 && skipSign(".")) {
      String member = requireName();
      requireSign("=");
      Expression value = tuple();
      end(Kind.TAG_ENDS);
      return new Node.SetMember(name, member, value);
    }
    if (skipSign("=")) {
      Expression value = tuple();
      end(Kind.TAG_ENDS);
      return new Node.Set(names, value);
    }
    List<Expression.Call> filters = filterChain(skipSign("|"));
    end(Kind.TAG_ENDS);
    Node.Block body = block();
    close("endset");
    return new Node.Capture(name, body, filters);
  }

  private List<Expression.Call> filterChain(boolean any) {
    List<Expression.Call> filters = new ArrayList<>();
    for (boolean more = any; more; more = skipSign("|")) {
      filters.add(filter());
    }
    return filters;
  }

  private Node filtered() {
    next();
    List<Expression.Call> filters = filterChain(true);
    end(Kind.TAG_ENDS);
    Node.Block body = block();
    close("endfilter");
    return new Node.Filter(body, filters);
  }

  private Node macro() {
    next();
    String name = requireName();
    requireSign("(");
    Map<String, @Nullable Expression> parameters = new LinkedHashMap<>();
    while (!skipSign(")")) {
      String parameter = requireName();
      parameters.put(parameter, skipSign("=") ? expression() : null);
      if (!isSign(")")) {
        requireSign(",");
      }
    }
    end(Kind.TAG_ENDS);
    Node.Block body = block();
    close("endmacro");
    return new Node.Macro(name, parameters, body);
  }
}
