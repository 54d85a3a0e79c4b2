package dev.spatz.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A statement of a template. */
interface Node {
  /** How the template goes on. */
  enum Flow {
    NEXT,
    CONTINUE,
    BREAK
  }

  /** Adds what it spells. */
  Flow render(Scope scope, Text.Builder to);

  /** Statements, one after the other. */
  record Block(List<Node> nodes) implements Node {
    static final Block EMPTY = new Block(List.of());

    @Override
    public Flow render(Scope scope, Text.Builder to) {
      scope.budget().enter();
      for (Node node : nodes) {
        scope.budget().step();
        Flow flow = node.render(scope, to);
        if (flow != Flow.NEXT) {
          scope.budget().leave();
          return flow;
        }
      }
      scope.budget().leave();
      return Flow.NEXT;
    }

    Text text(Scope scope) {
      Text.Builder text = new Text.Builder();
      render(scope, text);
      return text.text();
    }
  }

  /** Text between the tags. */
  record Literal(Text text) implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      scope.budget().spend(text.length());
      to.append(text);
      return Flow.NEXT;
    }
  }

  /** A value that is shown. */
  record Output(Expression value) implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      Text text = Values.print(value.value(scope), scope.budget());
      scope.budget().spend(text.length());
      to.append(text);
      return Flow.NEXT;
    }
  }

  /** A condition and what it is for. */
  record Branch(Expression condition, Block body) {}

  /** The first branch whose condition is true, or else the last block. */
  record If(List<Branch> branches, Block otherwise) implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      for (Branch branch : branches) {
        if (Values.isTrue(branch.condition.value(scope))) {
          return branch.body.render(scope, to);
        }
      }
      return otherwise.render(scope, to);
    }
  }

  /** A loop over those values for which the condition is true. What is set in it ends with it. */
  record For(
      List<String> names,
      Expression values,
      @Nullable Expression condition,
      Block body,
      Block otherwise)
      implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      List<Object> chosen = new ArrayList<>();
      for (Object value : Values.list(values.value(scope))) {
        scope.budget().step();
        if (condition == null || Values.isTrue(condition.value(round(scope, value)))) {
          chosen.add(value);
        }
      }
      if (chosen.isEmpty()) {
        return otherwise.render(scope, to);
      }
      Flow flow = Flow.NEXT;
      for (int i = 0; i < chosen.size() && flow != Flow.BREAK; i++) {
        Scope round = round(scope, chosen.get(i));
        round.set("loop", new Loop(chosen, i));
        flow = body.render(round, to);
      }
      return Flow.NEXT;
    }

    private Scope round(Scope scope, Object value) {
      Scope round = new Scope(scope);
      round.assign(names, value);
      return round;
    }
  }

  /** {@code continue} or {@code break}. */
  record Jump(Flow flow) implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      return flow;
    }
  }

  /** Variables get a value. */
  record Set(List<String> names, Expression value) implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      scope.assign(names, value.value(scope));
      return Flow.NEXT;
    }
  }

  /** A namespace gets a value, which also counts outside of a loop. */
  record SetMember(String namespace, String name, Expression value) implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      if (!(scope.get(namespace) instanceof Namespace members)) {
        throw new TemplateException(namespace + " is no namespace; its members cannot be set");
      }
      members.values().put(name, value.value(scope));
      return Flow.NEXT;
    }
  }

  /** A variable gets what a block spells. */
  record Capture(String name, Block body, List<Expression.Call> filters) implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      scope.set(name, filtered(body.text(new Scope(scope)), filters, scope));
      return Flow.NEXT;
    }
  }

  /** What a block spells, filtered. */
  record Filter(Block body, List<Expression.Call> filters) implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      to.append(
          Values.print(filtered(body.text(new Scope(scope)), filters, scope), scope.budget()));
      return Flow.NEXT;
    }
  }

  /** What a block spells is what a model is to say. */
  record Generation(Block body) implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      to.append(body.text(new Scope(scope)).generated());
      return Flow.NEXT;
    }
  }

  /** A function that the template defines; a parameter without a default has null. */
  record Macro(String name, Map<String, @Nullable Expression> parameters, Block body)
      implements Node {
    @Override
    public Flow render(Scope scope, Text.Builder to) {
      scope.set(name, (Callable) arguments -> call(scope, arguments));
      return Flow.NEXT;
    }

    private Object call(Scope definition, Arguments arguments) {
      Scope scope = new Scope(definition);
      int index = 0;
      for (Map.Entry<String, @Nullable Expression> parameter : parameters.entrySet()) {
        Object value = arguments.get(index++, parameter.getKey());
        Expression missing = parameter.getValue();
        if (value == null) {
          value = missing == null ? Nothing.UNDEFINED : missing.value(scope);
        }
        scope.set(parameter.getKey(), value);
      }
      return body.text(scope);
    }
  }

  private static Object filtered(Object value, List<Expression.Call> filters, Scope scope) {
    for (Expression.Call filter : filters) {
      value = Filters.apply(filter.name(), value, filter.arguments(scope));
    }
    return value;
  }
}
