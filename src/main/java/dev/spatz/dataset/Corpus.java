package dev.spatz.dataset;

import java.io.IOException;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Where documents come from: text files, directories of them, records in {@code .jsonl} and {@code
 * .csv} files, or strings of the application. Immutable; nothing is read before a visit, and a
 * visit reads as a stream, so that a corpus may be far larger than the memory.
 *
 * <ul>
 *   <li>A <b>text file</b> is one document, taken as it is. Every file that is neither of the
 *       following counts as text.
 *   <li>A <b>{@code .jsonl}</b> file has one JSON object a line; each one's field {@code text} (or
 *       {@link #withTextField another}) is a document.
 *   <li>A <b>{@code .csv}</b> file is as RFC 4180 defines it, with the names of its columns in the
 *       first record; the column {@code text} (or {@link #withTextColumn another}) of every other
 *       record is a document. All records have the same number of fields; empty lines are skipped.
 *   <li>A <b>directory</b> stands for the files in it and below it that end in {@code .csv}, {@code
 *       .jsonl}, {@code .md}, {@code .text} or {@code .txt}, sorted by name. Names that begin with
 *       a dot are hidden and skipped. Links are followed.
 * </ul>
 *
 * <p>Files are UTF-8 unless {@link #withCharset} says otherwise, and decoded strictly; a byte order
 * mark at the beginning is skipped. One record of a {@code .jsonl} or {@code .csv} file may have
 * 67,108,864 characters.
 */
public final class Corpus implements TrainingSource {
  private static final String DEFAULT_NAME = "text";

  private final List<Path> paths;
  private final @Nullable Iterable<String> documents;
  private final Settings settings;

  /** From which similarity on a document is left out, or null. */
  private final @Nullable Double similarity;

  /** Null where it was not set: a setting that meets no file is refused, not ignored. */
  private record Settings(
      @Nullable String textField,
      @Nullable String textColumn,
      boolean htmlEntitiesDecoded,
      Charset charset,
      int bufferBytes) {}

  private Corpus(
      List<Path> paths,
      @Nullable Iterable<String> documents,
      Settings settings,
      @Nullable Double similarity) {
    this.paths = paths;
    this.documents = documents;
    this.settings = settings;
    this.similarity = similarity;
  }

  /**
   * Files and directories, in this order.
   *
   * @param paths at least one
   * @return their documents
   * @throws IllegalArgumentException if there is none
   */
  public static Corpus of(Path... paths) {
    return of(List.of(paths));
  }

  /**
   * Files and directories, in this order.
   *
   * @param paths at least one
   * @return their documents
   * @throws IllegalArgumentException if there is none
   */
  public static Corpus of(List<Path> paths) {
    if (paths.isEmpty()) {
      throw new IllegalArgumentException("a corpus needs at least one file or directory");
    }
    return new Corpus(List.copyOf(paths), null, defaults(), null);
  }

  /**
   * Documents of the application, in the order of the iterator. Each visit asks for a new iterator;
   * all must give the same documents.
   *
   * @param documents the text of each
   * @return these documents
   */
  public static Corpus of(Iterable<String> documents) {
    return new Corpus(List.of(), Objects.requireNonNull(documents, "documents"), defaults(), null);
  }

  private static Settings defaults() {
    return new Settings(null, null, false, StandardCharsets.UTF_8, TextReader.DEFAULT_BUFFER_BYTES);
  }

  /**
   * Names the field of {@code .jsonl} records that is the document; default {@code text}.
   *
   * @param name of a field of the outermost object
   * @return this corpus, read so
   * @throws IllegalStateException if the documents come from the application
   */
  public Corpus withTextField(String name) {
    Objects.requireNonNull(name, "name");
    return with(
        "the text field",
        new Settings(
            name,
            settings.textColumn,
            settings.htmlEntitiesDecoded,
            settings.charset,
            settings.bufferBytes));
  }

  /**
   * Names the column of {@code .csv} records that is the document; default {@code text}.
   *
   * @param name as the first record spells it
   * @return this corpus, read so
   * @throws IllegalStateException if the documents come from the application
   */
  public Corpus withTextColumn(String name) {
    Objects.requireNonNull(name, "name");
    return with(
        "the text column",
        new Settings(
            settings.textField,
            name,
            settings.htmlEntitiesDecoded,
            settings.charset,
            settings.bufferBytes));
  }

  /**
   * Decodes HTML character references in {@code .jsonl} and {@code .csv} documents, once: {@code
   * &amp;amp;} becomes {@code &amp;}. Numeric ones, the names of Latin-1 and of common punctuation
   * are known; others stay as they are.
   *
   * @return this corpus, read so
   * @throws IllegalStateException if the documents come from the application
   */
  public Corpus withHtmlEntitiesDecoded() {
    return with(
        "decoding of HTML entities",
        new Settings(
            settings.textField, settings.textColumn, true, settings.charset, settings.bufferBytes));
  }

  /**
   * The encoding of the files; default UTF-8. It is decoded strictly, too.
   *
   * @param charset of all files
   * @return this corpus, read so
   * @throws IllegalStateException if the documents come from the application
   */
  public Corpus withCharset(Charset charset) {
    Objects.requireNonNull(charset, "charset");
    return with(
        "the charset",
        new Settings(
            settings.textField,
            settings.textColumn,
            settings.htmlEntitiesDecoded,
            charset,
            settings.bufferBytes));
  }

  /**
   * Leaves out documents that came before: the same ones, and such that resemble an earlier one,
   * judged by {@code MinHash} signatures of runs of five characters. Every visit holds whole
   * documents, one at a time, and about two kilobytes of each that stays.
   *
   * @param similarity part of the runs in common from which documents count as the same, above 0.5
   *     and at most 1 (then only case and white space may differ); 0.8 is usual
   * @return this corpus without them
   * @throws IllegalArgumentException if the similarity is out of its range
   */
  public Corpus withoutDuplicates(double similarity) {
    return new Corpus(paths, documents, settings, SeenDocuments.requireSimilarity(similarity));
  }

  /** Reads files in blocks of this size; for tests. */
  Corpus withBufferBytes(int bufferBytes) {
    return with(
        "the buffer size",
        new Settings(
            settings.textField,
            settings.textColumn,
            settings.htmlEntitiesDecoded,
            settings.charset,
            bufferBytes));
  }

  private Corpus with(String setting, Settings changed) {
    if (documents != null) {
      throw new IllegalStateException(
          setting + " is for files; this corpus has documents of the application");
    }
    return new Corpus(paths, documents, changed, similarity);
  }

  /**
   * Reads all documents in order.
   *
   * @param visitor receives them
   * @throws MalformedTextException if a file is not text in its encoding, or a record is malformed
   *     or has no such field
   * @throws IOException if a file cannot be read, a directory has no text file, or the visitor
   *     throws it
   * @throws IllegalArgumentException if a document of the application is null or contains an
   *     unpaired surrogate; or if a setting is for a kind of file that is not there
   */
  public void forEach(DocumentVisitor visitor) throws IOException {
    if (similarity == null) {
      visitAll(visitor);
      return;
    }
    SeenDocuments seen = new SeenDocuments(similarity);
    visitAll(
        new WholeDocuments(
            document -> {
              if (seen.add(document) == SeenDocuments.Known.NO) {
                visitWhole(document, visitor);
              }
            }));
  }

  private void visitAll(DocumentVisitor visitor) throws IOException {
    if (documents != null) {
      visitDocuments(documents, visitor);
      return;
    }
    for (CorpusFile file : files()) {
      try (TextReader in = new TextReader(file.path(), settings.charset, settings.bufferBytes)) {
        switch (file.format()) {
          case TEXT -> visitText(in, visitor);
          case JSON_LINES -> visitJsonLines(file.path(), in, visitor);
          case CSV -> visitCsv(file.path(), in, visitor);
        }
      }
    }
  }

  /**
   * The size of all files together, or empty where the documents come from the application.
   *
   * @return bytes
   * @throws IOException if a file is missing or a directory has no text file
   */
  public OptionalLong sizeInBytes() throws IOException {
    if (documents != null) {
      return OptionalLong.empty();
    }
    long size = 0;
    for (CorpusFile file : files()) {
      size += Files.size(file.path());
    }
    return OptionalLong.of(size);
  }

  /**
   * SHA-256 of the documents' text as 64 hexadecimal digits: of their UTF-8 bytes, with a byte 0xFF
   * (which UTF-8 never has) between documents. For one UTF-8 text file without a byte order mark
   * this is the file's own SHA-256. Reads the corpus once; {@link Dataset#digest()} has it already.
   *
   * @return lower-case digits
   * @throws IOException as {@link #forEach}
   */
  public String digest() throws IOException {
    TextDigest digest = new TextDigest();
    forEach(digest);
    return TextDigest.hexadecimal(digest.digest());
  }

  private List<CorpusFile> files() throws IOException {
    List<CorpusFile> files = CorpusFile.find(paths);
    boolean jsonLines = files.stream().anyMatch(f -> f.format() == CorpusFile.Format.JSON_LINES);
    boolean csv = files.stream().anyMatch(f -> f.format() == CorpusFile.Format.CSV);
    refuse(settings.textField != null && !jsonLines, "the text field", ".jsonl");
    refuse(settings.textColumn != null && !csv, "the text column", ".csv");
    refuse(
        settings.htmlEntitiesDecoded && !jsonLines && !csv,
        "decoding of HTML entities",
        ".jsonl or .csv");
    return files;
  }

  private void refuse(boolean meetsNoFile, String setting, String kind) {
    if (meetsNoFile) {
      throw new IllegalArgumentException(
          setting + " is for " + kind + " files, and there is none in " + paths);
    }
  }

  private static void visitDocuments(Iterable<String> documents, DocumentVisitor visitor)
      throws IOException {
    long number = 0;
    for (String document : documents) {
      number++;
      if (document == null) {
        throw new IllegalArgumentException("document " + number + " is null");
      }
      int unpaired = Surrogates.indexOfUnpaired(document);
      if (unpaired >= 0) {
        throw new IllegalArgumentException(
            "document " + number + " has an unpaired surrogate at index " + unpaired);
      }
      visitWhole(document, visitor);
    }
  }

  private static void visitText(TextReader in, DocumentVisitor visitor) throws IOException {
    for (CharBuffer piece = in.piece(); piece != null; piece = in.piece()) {
      visitor.text(piece);
    }
    visitor.endOfDocument();
  }

  private void visitJsonLines(Path file, TextReader in, DocumentVisitor visitor)
      throws IOException {
    String field = settings.textField == null ? DEFAULT_NAME : settings.textField;
    JsonLinesReader records =
        new JsonLinesReader(file, in, field, JsonLinesReader.MAX_RECORD_CHARS);
    for (String text = records.next(); text != null; text = records.next()) {
      visitRecord(text, visitor);
    }
  }

  private void visitCsv(Path file, TextReader in, DocumentVisitor visitor) throws IOException {
    CsvReader records = new CsvReader(file, in, CsvReader.MAX_RECORD_CHARS);
    String name = settings.textColumn == null ? DEFAULT_NAME : settings.textColumn;
    List<String> names = records.record();
    if (names == null) {
      throw MalformedTextException.atLine(file, 1, "no record with the names of the columns");
    }
    int column = names.indexOf(name);
    if (column < 0 || column != names.lastIndexOf(name)) {
      throw MalformedTextException.atLine(
          file,
          records.recordLine(),
          (column < 0 ? "no column \"" : "more than one column \"")
              + name
              + "\" among "
              + names
              + "; name the text column");
    }
    for (List<String> record = records.record(); record != null; record = records.record()) {
      if (record.size() != names.size()) {
        throw MalformedTextException.atLine(
            file,
            records.recordLine(),
            record.size() + " fields, but " + names.size() + " columns have names");
      }
      visitRecord(record.get(column), visitor);
    }
  }

  private void visitRecord(String text, DocumentVisitor visitor) throws IOException {
    visitWhole(settings.htmlEntitiesDecoded ? HtmlEntities.decode(text) : text, visitor);
  }

  private static void visitWhole(String document, DocumentVisitor visitor) throws IOException {
    if (!document.isEmpty()) {
      visitor.text(document);
    }
    visitor.endOfDocument();
  }
}
