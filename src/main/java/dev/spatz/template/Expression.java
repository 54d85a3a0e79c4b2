package dev.spatz.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An expression of a template. */
interface Expression {
  /** What it is where these variables are. */
  Object compute(Scope scope);

  /** The same, within the budget. */
  default Object value(Scope scope) {
    scope.budget().enter();
    Object value = compute(scope);
    scope.budget().leave();
    return value;
  }

  /** A value that is spelled out. */
  record Constant(Object constant) implements Expression {
    @Override
    public Object compute(Scope scope) {
      return constant;
    }
  }

  /** A variable. */
  record Variable(String name) implements Expression {
    @Override
    public Object compute(Scope scope) {
      return scope.get(name);
    }
  }

  /** {@code [a, b]}. */
  record ListOf(List<Expression> elements) implements Expression {
    @Override
    public Object compute(Scope scope) {
      List<Object> values = new ArrayList<>(elements.size());
      elements.forEach(element -> values.add(element.value(scope)));
      return values;
    }
  }

  /** {@code {a: b}}. */
  record MapOf(List<Expression> keys, List<Expression> values) implements Expression {
    @Override
    public Object compute(Scope scope) {
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        map.put(Values.key(keys.get(i).value(scope)), values.get(i).value(scope));
      }
      return map;
    }
  }

  /** {@code -a}, {@code +a} or {@code not a}. */
  record Unary(String sign, Expression operand) implements Expression {
    @Override
    public Object compute(Scope scope) {
      Object value = operand.value(scope);
      return sign.equals("not") ? !Values.isTrue(value) : Operators.signed(sign, value);
    }
  }

  /** {@code a + b} and the like. */
  record Binary(String sign, Expression left, Expression right) implements Expression {
    @Override
    public Object compute(Scope scope) {
      Object first = left.value(scope);
      return switch (sign) {
        case "and" -> Values.isTrue(first) ? right.value(scope) : first;
        case "or" -> Values.isTrue(first) ? first : right.value(scope);
        default -> Operators.apply(sign, first, right.value(scope), scope.budget());
      };
    }
  }

  /** {@code a < b <= c}: every pair of neighbours. */
  record Comparison(Expression first, List<String> signs, List<Expression> others)
      implements Expression {
    @Override
    public Object compute(Scope scope) {
      Object left = first.value(scope);
      for (int i = 0; i < signs.size(); i++) {
        Object right = others.get(i).value(scope);
        if (!Operators.compare(signs.get(i), left, right, scope.budget())) {
          return false;
        }
        left = right;
      }
      return true;
    }
  }

  /** {@code a if b else c}. */
  record Conditional(Expression condition, Expression then, @Nullable Expression otherwise)
      implements Expression {
    @Override
    public Object compute(Scope scope) {
      if (Values.isTrue(condition.value(scope))) {
        return then.value(scope);
      }
      return otherwise == null ? Nothing.UNDEFINED : otherwise.value(scope);
    }
  }

  /** {@code a.name}: a method, or else what the value has of this name. */
  record Attribute(Expression owner, String name) implements Expression {
    @Override
    public Object compute(Scope scope) {
      Object value = owner.value(scope);
      Callable method = Methods.find(value, name);
      return method != null ? method : Values.item(required(value), Text.of(name));
    }

    private Object required(Object value) {
      if (value == Nothing.UNDEFINED) {
        throw new TemplateException(
            Values.describe(owner) + " is undefined; it has no '" + name + "'");
      }
      return value;
    }
  }

  /** {@code a[b]}. */
  record Item(Expression owner, Expression key) implements Expression {
    @Override
    public Object compute(Scope scope) {
      Object value = owner.value(scope);
      if (value == Nothing.UNDEFINED) {
        throw new TemplateException(Values.describe(owner) + " is undefined; it has no parts");
      }
      if (value instanceof Text text) {
        scope.budget().spend(text.length());
      }
      return Values.item(value, key.value(scope));
    }
  }

  /** {@code a[from:to:step]}. */
  record Slice(
      Expression owner,
      @Nullable Expression from,
      @Nullable Expression to,
      @Nullable Expression step)
      implements Expression {
    @Override
    public Object compute(Scope scope) {
      Object value = owner.value(scope);
      scope.budget().spend(Values.size(value));
      return Operators.slice(value, bound(from, scope), bound(to, scope), bound(step, scope));
    }

    private static @Nullable Integer bound(@Nullable Expression expression, Scope scope) {
      Object value = expression == null ? Nothing.NONE : expression.value(scope);
      return value == Nothing.NONE ? null : Integer.valueOf(Values.integer(value));
    }
  }

  /** A name with what stands in parentheses after it. */
  record Call(String name, List<Expression> positional, Map<String, Expression> named) {
    Arguments arguments(Scope scope) {
      List<Object> values = new ArrayList<>();
      positional.forEach(argument -> values.add(argument.value(scope)));
      Map<String, Object> byName = new LinkedHashMap<>();
      named.forEach((key, argument) -> byName.put(key, argument.value(scope)));
      return new Arguments(scope.budget(), values, byName);
    }
  }

  /** {@code f(a, b=c)}. */
  record Invocation(Expression function, Call call) implements Expression {
    @Override
    public Object compute(Scope scope) {
      if (!(function.value(scope) instanceof Callable callable)) {
        throw new TemplateException(Values.describe(function) + " cannot be called");
      }
      return call.arguments(scope).passTo(callable, Values.describe(function));
    }
  }

  /** {@code a | filter}. */
  record Filtered(Expression operand, Call filter) implements Expression {
    @Override
    public Object compute(Scope scope) {
      return Filters.apply(filter.name, operand.value(scope), filter.arguments(scope));
    }
  }

  /** {@code a is test}. */
  record Tested(Expression operand, Call test, boolean negated) implements Expression {
    @Override
    public Object compute(Scope scope) {
      return negated != Tests.apply(test.name, operand.value(scope), test.arguments(scope));
    }
  }
}
