package dev.spatz.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * JSON of schemas, judged by a validator. {@code -Dspatz.schemas=1000} tries more random ones than
 * usual.
 */
class JsonSchemaTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SCHEMAS = Integer.getInteger("spatz.schemas", 60);
  private static final int MOST_TOKENS = 512;
  private static final JsonSchemaFactory VALIDATORS =
      JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);

  @Test
  void randomSchemas_areFollowed() throws IOException {
    Random random = new Random(11);
    int finished = 0;
    for (int i = 0; i < SCHEMAS; i++) {
      String schema = schema(random, 4).toString();
      TokenConstraint tokens = Constraint.jsonSchema(schema).forTokens(Writer.BYTES);
      Optional<String> text = Writer.write(Writer.BYTES, tokens, MOST_TOKENS, random);
      if (text.isPresent()) {
        finished++;
        requireValid(schema, text.get());
      }
    }
    assertTrue(finished >= 0.95 * SCHEMAS, finished + " of " + SCHEMAS + " are finished");
  }

  private static void requireValid(String schema, String text) throws IOException {
    JsonNode json;
    try {
      json = JSON.readTree(text);
    } catch (IOException e) {
      throw new AssertionError(schema + "\n" + text, e);
    }
    assertEquals(
        "[]", VALIDATORS.getSchema(schema).validate(json).toString(), () -> schema + "\n" + text);
  }

  private static ObjectNode schema(Random random, int depth) {
    ObjectNode schema = JSON.createObjectNode();
    switch (random.nextInt(depth > 1 ? 12 : 8)) {
      case 0 ->
          schema.put("type", "string").put("minLength", 1).put("maxLength", 1 + random.nextInt(9));
      case 1 -> schema.put("type", "string").put("pattern", pattern(random));
      case 2 -> {
        long least = random.nextInt(4000) - 2000;
        schema.put("type", "integer").put("minimum", least);
        schema.put("maximum", least + (random.nextInt(5000) >> random.nextInt(12)));
      }
      case 3 -> schema.put("type", "number");
      case 4 -> schema.put("type", random.nextBoolean() ? "boolean" : "null");
      case 5 -> schema.putArray("enum").add("rot").add(3).add("\"\\ä\n").add(true).addNull();
      case 6 -> schema.put("const", random.nextInt(100));
      case 7 -> schema.putArray("type").add("integer").add("string").add("null");
      case 8, 9 -> object(schema, random, depth);
      case 10 -> {
        int least = random.nextInt(3);
        schema
            .put("type", "array")
            .put("minItems", least)
            .put("maxItems", least + random.nextInt(3));
        schema.set("items", schema(random, depth - 1));
      }
      default -> {
        ArrayNode options = schema.putArray("anyOf");
        options.add(schema(random, depth - 1)).add(schema(random, depth - 1));
      }
    }
    return schema;
  }

  private static String pattern(Random random) {
    return List.of("^[A-Z][a-z]{2,5}$", "\\d{3}-\\d{2}", "^(ja|nein)$", "ü+\"?", "^a[^b]{2}")
        .get(random.nextInt(5));
  }

  private static void object(ObjectNode schema, Random random, int depth) {
    schema.put("type", "object");
    ObjectNode properties = schema.putObject("properties");
    ArrayNode required = JSON.createArrayNode();
    for (int i = random.nextInt(4); i >= 0; i--) {
      String name = "k" + i + (random.nextInt(5) == 0 ? "\"ö" : "");
      properties.set(name, schema(random, depth - 1));
      if (random.nextBoolean()) {
        required.add(name);
      }
    }
    schema.set("required", required);
    if (random.nextBoolean()) {
      schema.put("additionalProperties", false);
    }
  }

  @Test
  void recursiveSchemas_areFollowed() throws IOException {
    String schema =
        """
        {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object",
         "properties": {"value": {"type": "integer"},
           "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
         "required": ["value", "children"]}}}""";
    TokenConstraint tokens = Constraint.jsonSchema(schema).forTokens(Writer.BYTES);
    Random random = new Random(2);
    for (int i = 0; i < 20; i++) {
      requireValid(schema, Writer.write(Writer.BYTES, tokens, 300, random).orElseThrow());
    }
  }

  @Test
  void anything_isJson() throws IOException {
    TokenConstraint tokens = Constraint.jsonSchema("{}").forTokens(Writer.BYTES);
    Random random = new Random(2);
    for (int i = 0; i < 50; i++) {
      requireValid("{}", Writer.write(Writer.BYTES, tokens, 100, random).orElseThrow());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '§',
      value = {
        "{\"oneOf\": []}§oneOf",
        "{\"type\": \"integer\", \"multipleOf\": 3}§multipleOf",
        "{\"type\": \"number\", \"minimum\": 3}§minimum",
        "{\"type\": \"strin\"}§strin",
        "{\"type\": \"string\", \"format\": \"date\"}§format",
        "{\"type\": \"object\", \"required\": [\"a\"]}§required property a",
        "{\"type\": \"array\", \"minItems\": 3, \"maxItems\": 2}§minItems (3)",
        "{\"type\": \"integer\", \"minimum\": 3, \"maximum\": 2}§minimum (3)",
        "{\"enum\": []}§enum",
        "{\"$ref\": \"#/$defs/x\"}§leads nowhere",
        "{\"$ref\": \"other.json\"}§other.json",
        "{\"$ref\": \"#\"}§begin with itself",
        "{\"type\": \"string\", \"pattern\": \"(?=a)\"}§look-around",
        "{\"type\"§JSON schema",
        "false§object"
      })
  void whatIsNotKnown_isRefusedByName(String schema, String part) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Constraint.jsonSchema(schema));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }
}
