package dev.spatz.constraint;

import static dev.spatz.constraint.Expression.UNBOUNDED;
import static dev.spatz.constraint.Expression.literal;
import static dev.spatz.constraint.Expression.sequence;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** JSON schemas as {@link Constraint#jsonSchema} describes them → grammars. */
final class JsonSchema {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ANY = "any";
  private static final long MOST_INTEGER = 999_999_999_999_999L;

  private static final Set<String> ANNOTATIONS =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "deprecated",
          "readOnly",
          "writeOnly");

  /** The keywords that each type knows besides. */
  private static final Map<String, Set<String>> KEYWORDS =
      Map.of(
          "object", Set.of("properties", "required", "additionalProperties"),
          "array", Set.of("items", "minItems", "maxItems"),
          "string", Set.of("minLength", "maxLength", "pattern"),
          "integer", Set.of("minimum", "maximum"),
          "number", Set.of(),
          "boolean", Set.of(),
          "null", Set.of());

  private final JsonNode root;
  private final Map<String, Expression> rules = new LinkedHashMap<>();
  private final Map<String, String> references = new HashMap<>();
  private int number;

  private JsonSchema(JsonNode root) {
    this.root = root;
  }

  static Grammar grammar(String schema) {
    JsonNode root;
    try {
      root = JSON.readTree(schema);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("JSON schema: " + e.getOriginalMessage(), e);
    }
    JsonSchema compiler = new JsonSchema(root);
    compiler.rules.put("root", compiler.value(root, "#"));
    return new Grammar(compiler.rules, "root");
  }

  private Expression value(JsonNode schema, String path) {
    if (schema.isBoolean() && schema.booleanValue()) {
      return any();
    }
    if (!schema.isObject()) {
      throw fault(path, "a schema must be an object, or true");
    }
    ObjectNode object = (ObjectNode) schema;
    if (object.has("$ref")) {
      requireOnly(object, path, Set.of("$ref"));
      return reference(object.get("$ref").asText(), path);
    }
    if (object.has("const")) {
      requireOnly(object, path, Set.of("const", "type"));
      return constant(object.get("const"));
    }
    if (object.has("enum")) {
      requireOnly(object, path, Set.of("enum", "type"));
      return options(object.get("enum"), path + "/enum", (option, place) -> constant(option));
    }
    if (object.has("anyOf")) {
      requireOnly(object, path, Set.of("anyOf"));
      return options(object.get("anyOf"), path + "/anyOf", this::value);
    }
    JsonNode type = object.path("type");
    if (type.isArray()) {
      return options(type, path + "/type", (one, place) -> typed(one.asText(), object, path));
    }
    if (type.isTextual()) {
      requireOnly(object, path, withType(KEYWORDS.getOrDefault(type.asText(), Set.of())));
      return typed(type.asText(), object, path);
    }
    if (!type.isMissingNode()) {
      throw fault(path, "type must be a string or an array of strings");
    }
    for (Map.Entry<String, Set<String>> kind : KEYWORDS.entrySet()) {
      if (kind.getValue().stream().anyMatch(object::has) && !kind.getKey().equals("integer")) {
        requireOnly(object, path, kind.getValue());
        return typed(kind.getKey(), object, path);
      }
    }
    requireOnly(object, path, Set.of());
    return any();
  }

  private static Set<String> withType(Set<String> keywords) {
    Set<String> all = new TreeSet<>(keywords);
    all.add("type");
    return all;
  }

  private static void requireOnly(ObjectNode schema, String path, Set<String> known) {
    schema
        .fieldNames()
        .forEachRemaining(
            keyword -> {
              if (!known.contains(keyword) && !ANNOTATIONS.contains(keyword)) {
                throw fault(path, "the keyword " + keyword + " is not known here");
              }
            });
  }

  private interface Part {
    Expression of(JsonNode schema, String path);
  }

  private static Expression options(JsonNode list, String path, Part part) {
    if (!list.isArray() || list.isEmpty()) {
      throw fault(path, "it must be an array that is not empty");
    }
    List<Expression> options = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      options.add(part.of(list.get(i), path + "/" + i));
    }
    return new Expression.Choice(options);
  }

  private static Expression constant(JsonNode value) {
    return literal(value.toString());
  }

  private Expression typed(String type, ObjectNode schema, String path) {
    return switch (type) {
      case "object" -> object(schema, path);
      case "array" -> array(schema, path);
      case "string" -> string(schema, path);
      case "integer" -> integer(schema, path);
      case "number" -> JsonText.NUMBER;
      case "boolean" -> Expression.choice(literal("true"), literal("false"));
      case "null" -> literal("null");
      default -> throw fault(path, "the type " + type + " is not known");
    };
  }

  // ---- objects and arrays ----

  private Expression object(ObjectNode schema, String path) {
    Map<String, Expression> properties = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
      String place = path + "/properties/" + property.getKey();
      properties.put(
          property.getKey(),
          pair(
              constant(JSON.getNodeFactory().textNode(property.getKey())),
              value(property.getValue(), place)));
    }
    Set<String> required = new TreeSet<>();
    for (JsonNode name : schema.path("required")) {
      if (!properties.containsKey(name.asText())) {
        throw fault(path, "the required property " + name.asText() + " is not described");
      }
      required.add(name.asText());
    }
    if (properties.isEmpty()) {
      return free(schema.path("additionalProperties"), path);
    }
    return sequence(
        literal("{"), members(new ArrayList<>(properties.entrySet()), required), literal("}"));
  }

  private static Expression pair(Expression name, Expression value) {
    return sequence(name, JsonText.COLON, value);
  }

  /** An object with any names. */
  private Expression free(JsonNode values, String path) {
    if (values.isBoolean() && !values.booleanValue()) {
      return literal("{}");
    }
    Expression value = values.isObject() ? value(values, path + "/additionalProperties") : any();
    Expression pair = pair(JsonText.string(0, UNBOUNDED), value);
    Expression more = new Expression.Repeat(sequence(JsonText.COMMA, pair), 0, UNBOUNDED);
    return sequence(literal("{"), Expression.optional(sequence(pair, more)), literal("}"));
  }

  /** Two rules for each property's end: with something before it, and without. */
  private Expression members(List<Map.Entry<String, Expression>> properties, Set<String> required) {
    Expression first = Expression.EMPTY;
    Expression later = Expression.EMPTY;
    for (int i = properties.size() - 1; i >= 0; i--) {
      String member = rule("member", properties.get(i).getValue());
      Expression rest = new Expression.Reference(rule("rest", later));
      Expression begins = sequence(new Expression.Reference(member), rest);
      Expression goesOn = sequence(JsonText.COMMA, begins);
      if (required.contains(properties.get(i).getKey())) {
        first = begins;
        later = goesOn;
      } else {
        first = Expression.choice(begins, new Expression.Reference(rule("first", first)));
        later = Expression.choice(goesOn, rest);
      }
    }
    return first;
  }

  /** A new rule, so that what is used twice is said once. */
  private String rule(String kind, Expression expression) {
    String name = kind + "-" + number++;
    rules.put(name, expression);
    return name;
  }

  private Expression array(ObjectNode schema, String path) {
    int least = count(schema, "minItems", 0, path);
    int most = count(schema, "maxItems", UNBOUNDED, path);
    requireOrder(least, most, "minItems", "maxItems", path);
    Expression element = schema.has("items") ? value(schema.get("items"), path + "/items") : any();
    return JsonText.array(new Expression.Reference(rule("element", element)), least, most);
  }

  // ---- strings and numbers ----

  private static Expression string(ObjectNode schema, String path) {
    int least = count(schema, "minLength", 0, path);
    int most = count(schema, "maxLength", UNBOUNDED, path);
    requireOrder(least, most, "minLength", "maxLength", path);
    if (!schema.has("pattern")) {
      return JsonText.string(least, most);
    }
    if (schema.has("minLength") || schema.has("maxLength")) {
      throw fault(path, "pattern and lengths together are not known; say it in the pattern");
    }
    Expression around =
        new Expression.Repeat(new Expression.Characters(CodePoints.ALL), 0, UNBOUNDED);
    Expression pattern =
        new RegexParser(schema.get("pattern").asText()).parseSearched(around, around);
    return JsonText.string(JsonText.escaped(pattern));
  }

  private static Expression integer(ObjectNode schema, String path) {
    if (!schema.has("minimum") && !schema.has("maximum")) {
      return JsonText.INTEGER;
    }
    long least = bound(schema, "minimum", -MOST_INTEGER, path);
    long most = bound(schema, "maximum", MOST_INTEGER, path);
    if (least > most) {
      throw fault(path, "minimum (" + least + ") must not exceed maximum (" + most + ")");
    }
    return JsonText.integers(least, most);
  }

  private static long bound(ObjectNode schema, String name, long absent, String path) {
    JsonNode value = schema.path(name);
    if (value.isMissingNode()) {
      return absent;
    }
    boolean finite = value.isNumber() && Double.isFinite(value.doubleValue());
    BigDecimal number = finite ? value.decimalValue() : null;
    if (number == null || number.abs().compareTo(BigDecimal.valueOf(MOST_INTEGER)) > 0) {
      throw fault(path, name + " must be a number of at most 15 digits");
    }
    return (name.equals("minimum")
            ? number.setScale(0, RoundingMode.CEILING)
            : number.setScale(0, RoundingMode.FLOOR))
        .longValueExact();
  }

  private static int count(ObjectNode schema, String name, int absent, String path) {
    JsonNode value = schema.path(name);
    if (value.isMissingNode()) {
      return absent;
    }
    if (!value.canConvertToInt() || value.intValue() < 0) {
      throw fault(path, name + " must be a whole number, not negative");
    }
    return value.intValue();
  }

  private static void requireOrder(
      int least, int most, String leastName, String mostName, String path) {
    if (most != UNBOUNDED && least > most) {
      throw fault(
          path, leastName + " (" + least + ") must not exceed " + mostName + " (" + most + ")");
    }
  }

  // ---- references ----

  private Expression reference(String target, String path) {
    String known = references.get(target);
    if (known == null) {
      boolean local = target.startsWith("#/$defs/") || target.startsWith("#/definitions/");
      if (!target.equals("#") && !local) {
        throw fault(path, "$ref " + target + " must be to # or #/$defs/…");
      }
      JsonNode schema = target.equals("#") ? root : root.at(target.substring(1));
      if (schema.isMissingNode()) {
        throw fault(path, "$ref " + target + " leads nowhere");
      }
      known = "ref-" + number++;
      references.put(target, known); // before, since it may refer to itself
      rules.put(known, value(schema, target));
    }
    return new Expression.Reference(known);
  }

  /** Any JSON value. */
  private Expression any() {
    if (!rules.containsKey(ANY)) {
      Expression any = new Expression.Reference(ANY);
      Expression pair = pair(JsonText.string(0, UNBOUNDED), any);
      Expression more = new Expression.Repeat(sequence(JsonText.COMMA, pair), 0, UNBOUNDED);
      rules.put(
          ANY,
          Expression.choice(
              JsonText.string(0, UNBOUNDED),
              JsonText.NUMBER,
              literal("true"),
              literal("false"),
              literal("null"),
              JsonText.array(any, 0, UNBOUNDED),
              sequence(literal("{"), Expression.optional(sequence(pair, more)), literal("}"))));
    }
    return new Expression.Reference(ANY);
  }

  private static IllegalArgumentException fault(String path, String what) {
    return new IllegalArgumentException("JSON schema, " + path + ": " + what);
  }
}
