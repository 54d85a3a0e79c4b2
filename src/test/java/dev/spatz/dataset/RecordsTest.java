package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records in .csv and .jsonl files. */
class RecordsTest {
  @TempDir Path directory;

  private List<String> csv(String text) throws IOException {
    return Documents.of(Corpus.of(Documents.write(directory, "a.csv", text)));
  }

  private List<String> jsonLines(String text) throws IOException {
    return Documents.of(Corpus.of(Documents.write(directory, "a.jsonl", text)));
  }

  private void refusedCsv(String place, String fault, String text) {
    refused("a.csv, " + place, fault, assertThrows(MalformedTextException.class, () -> csv(text)));
  }

  private void refusedJson(String place, String fault, String text) {
    refused(
        "a.jsonl, " + place,
        fault,
        assertThrows(MalformedTextException.class, () -> jsonLines(text)));
  }

  private void refused(String place, String fault, Exception e) {
    String message = String.valueOf(e.getMessage());
    assertTrue(message.contains(place + ": ") && message.contains(fault), message);
  }

  @Test
  void csv_fieldsAreAsRfc4180SaysInEveryLineEnding() throws IOException {
    for (String end : List.of("\n", "\r\n", "\r")) {
      String text =
          String.join(
              end,
              "id,text,note",
              "1,plain, kept ",
              "2,\"a,b\",",
              "3,\"say \"\"hi\"\"\",x",
              "",
              "4,\"two" + end + "lines\",\"\"",
              "5,,",
              "\"6\",\"\",\"\"",
              "7,\"\"\"\",x");
      List<String> expected =
          List.of("plain", "a,b", "say \"hi\"", "two" + end + "lines", "", "", "\"");
      assertEquals(expected, csv(text));
      assertEquals(expected, csv(text + end + end));
    }
  }

  @Test
  void csv_spacesBelongToFields() throws IOException {
    assertEquals(List.of(" a "), csv("text\n a \n"));
  }

  @Test
  void csv_headerOnly_hasNoDocuments() throws IOException {
    assertEquals(List.of(), csv("id,\"text\"\n"));
  }

  @Test
  void csv_oneQuotedEmptyField_isAnEmptyDocument() throws IOException {
    assertEquals(List.of("", "x"), csv("text\n\n\"\"\n\nx"));
  }

  @Test
  void csv_columnByName() throws IOException {
    Path file = Documents.write(directory, "a.csv", "id,\"the \"\"post\"\"\"\n1,hello\n");
    assertEquals(List.of("1"), Documents.of(Corpus.of(file).withTextColumn("id")));
    assertEquals(List.of("hello"), Documents.of(Corpus.of(file).withTextColumn("the \"post\"")));
  }

  @Test
  void csv_columnMissing_namesThoseThatExist() {
    refusedCsv("line 2", "no column \"text\" among [id, post]", "\nid,post\n1,a\n");
    refusedCsv("line 1", "more than one column \"text\"", "text,text\n1,a\n");
    refusedCsv("line 1", "no record", "");
  }

  @Test
  void csv_recordWithOtherNumberOfFields_isRefusedWithItsLine() {
    refusedCsv("line 4", "1 fields, but 2 columns", "id,text\r\n1,\"a\r\nb\"\r\n2\r\n");
    refusedCsv("line 2", "3 fields, but 2 columns", "id,text\n1,a,b\n");
  }

  @Test
  void csv_quotesInTheWrongPlace_areRefusedWithTheirLine() {
    refusedCsv("line 3", "a quote within a field", "text\na\nb\"c\"\n");
    refusedCsv("line 2", "goes on after its closing quote", "text\n\"a\"b\n");
    refusedCsv("line 3", "the quoted field that begins here never ends", "text\na\n\"b\nc\nd");
  }

  @Test
  void csv_recordTooLong_isRefusedWithItsLine() throws IOException {
    Path file = Documents.write(directory, "a.csv", "text\nabcd\n\"ab\nc\",de\n");
    try (TextReader in = new TextReader(file, StandardCharsets.UTF_8, 8)) {
      CsvReader records = new CsvReader(file, in, 5);
      assertEquals(List.of("text"), records.record());
      assertEquals(List.of("abcd"), records.record());
      refused(
          "line 3",
          "longer than 5 characters",
          assertThrows(MalformedTextException.class, records::record));
    }
  }

  @Test
  void jsonLines_fieldOfEachLine() throws IOException {
    String text =
        "{\"text\":\"a\\n\\u00e9\\ud83d\\ude00\", \"id\": 1}\r\n"
            + "  \n"
            + "{\"meta\":{\"text\":\"no\",\"l\":[{\"text\":1}]},\"text\":\"b\"}\n"
            + "{\"text\":\"\"}";
    assertEquals(List.of("a\né😀", "b", ""), jsonLines(text));
    assertEquals(List.of(), jsonLines(""));
  }

  @Test
  void jsonLines_otherField() throws IOException {
    Path file = Documents.write(directory, "a.jsonl", "{\"body\":\"a\",\"text\":3}\n");
    assertEquals(List.of("a"), Documents.of(Corpus.of(file).withTextField("body")));
  }

  @Test
  void jsonLines_recordWithoutTheField_isRefusedWithItsLine() {
    refusedJson("line 2", "no field \"text\"", "{\"text\":\"a\"}\n{\"Text\":\"a\"}\n");
    refusedJson("line 1", "the field \"text\" is not a string", "{\"text\":null}");
    refusedJson("line 1", "the field \"text\" is not a string", "{\"text\":[\"a\"]}");
    refusedJson("line 3", "the field \"text\" is not a string", "\n\n{\"text\":1}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"text\":\"a\"",
        "{\"text\":\"a",
        "{\"text\":\"a\tb\"}",
        "{text:\"a\"}",
        "{\"text\":\"a\",\"text\":\"b\"}",
        "{\"text\":\"\\x\"}",
        "{\"text\"}",
        "{\"text\":}",
        "{\"text\":\"a\",}",
      })
  void jsonLines_malformed_isRefusedWithItsLine(String line) {
    refusedJson("line 2", "malformed JSON", "{\"text\":\"a\"}\n" + line + "\n{\"text\":\"a\"}");
  }

  @Test
  void jsonLines_notOneObject_isRefusedWithItsLine() {
    refusedJson("line 1", "not a JSON object", "[\"a\"]");
    refusedJson("line 1", "not a JSON object", "\"a\"");
    refusedJson("line 1", "more than one JSON value", "{\"text\":\"a\"} {\"text\":\"b\"}");
  }

  @Test
  void jsonLines_deepNesting_isRefusedWithItsLine() {
    String deep = "[".repeat(100_000) + "]".repeat(100_000);
    refusedJson("line 1", "malformed JSON", "{\"x\":" + deep + ",\"text\":\"a\"}");
  }

  @Test
  void jsonLines_unpairedSurrogate_isRefusedWithItsLine() {
    refusedJson("line 1", "unpaired surrogate at character 1", "{\"text\":\"a\\ud83d\"}");
  }

  @Test
  void jsonLines_recordTooLong_isRefusedWithItsLine() throws IOException {
    Path file = Documents.write(directory, "a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"ab\"}\n");
    try (TextReader in = new TextReader(file, StandardCharsets.UTF_8, 8)) {
      JsonLinesReader records = new JsonLinesReader(file, in, "text", 12);
      assertEquals("a", records.next());
      refused(
          "line 2",
          "longer than 12 characters",
          assertThrows(MalformedTextException.class, records::next));
    }
  }

  @Test
  void jsonLines_longText_isRead() throws IOException {
    String text = "x".repeat(21_000_000); // Jackson's own limit is 20,000,000
    List<Integer> lengths = new ArrayList<>();
    for (String document : jsonLines("{\"text\":\"" + text + "\"}")) {
      lengths.add(document.length());
    }
    assertEquals(List.of(21_000_000), lengths);
  }

  @Test
  void htmlEntities_areDecodedOnRequestOnly() throws IOException {
    Path csv = Documents.write(directory, "a.csv", "text\na &amp; b\n");
    Path json = Documents.write(directory, "a.jsonl", "{\"text\":\"&lt;3\"}\n");
    assertEquals(List.of("a &amp; b", "&lt;3"), Documents.of(Corpus.of(csv, json)));
    assertEquals(
        List.of("a & b", "<3"), Documents.of(Corpus.of(csv, json).withHtmlEntitiesDecoded()));
  }

  @Test
  void htmlEntities_inTextFilesBesideRecords_stay() throws IOException {
    Path csv = Documents.write(directory, "a.csv", "text\n&amp;\n");
    Path text = Documents.write(directory, "a.txt", "&amp;");
    assertEquals(
        List.of("&", "&amp;"), Documents.of(Corpus.of(csv, text).withHtmlEntitiesDecoded()));
  }
}
