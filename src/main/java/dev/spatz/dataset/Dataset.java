package dev.spatz.dataset;

import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.math.BigDecimal;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tokens of a corpus in a memory-mapped file, in two parts: one to train on, one to measure
 * with. Safe for use by many threads; its owner closes it.
 *
 * <p>Between two documents stands an end-of-text token; none stands before the first or after the
 * last document of a corpus. So a single text of n characters is n tokens of a character tokenizer,
 * and splits as nanoGPT splits it.
 */
public final class Dataset implements TrainingData {
  /** The name of the token file in a directory. */
  public static final String FILE_NAME = "dataset.tokens";

  private static final Logger LOG = LoggerFactory.getLogger(Dataset.class);

  private final TokenFile tokens;
  private final TokenSequence train;
  private final TokenSequence validation;
  private final @Nullable Path temporary;

  private Dataset(TokenFile tokens, @Nullable Path temporary) {
    this.tokens = tokens;
    this.temporary = temporary;
    long split = tokens.header().trainLength();
    this.train = new TokenSequence(tokens, 0, split);
    this.validation = new TokenSequence(tokens, split, tokens.length() - split);
  }

  /**
   * Tokenizes a corpus, reading it once as a stream.
   *
   * @param corpus the documents
   * @param tokenizer gives the ids
   * @param options the parts, the threads, and where the tokens are kept
   * @return a data set that the caller closes
   * @throws MalformedTextException if the corpus has malformed text or records
   * @throws InterruptedIOException if the thread was interrupted; its interrupt status stays set
   * @throws IOException if the corpus cannot be read or the token file not be written
   * @throws IllegalArgumentException if the tokenizer has no id for a character of the corpus, or
   *     as {@link Corpus#forEach} says; the message names the document
   */
  public static Dataset prepare(Corpus corpus, Tokenizer tokenizer, DatasetOptions options)
      throws IOException {
    Path directory = options.directory();
    try {
      return directory == null
          ? temporary(file -> write(corpus, tokenizer, options, file))
          : inDirectory(corpus, tokenizer, options, directory);
    } catch (ClosedByInterruptException e) {
      throw (IOException) new InterruptedIOException("interrupted while tokenizing").initCause(e);
    }
  }

  private static Dataset inDirectory(
      Corpus corpus, Tokenizer tokenizer, DatasetOptions options, Path directory)
      throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve(FILE_NAME);
    write(corpus, tokenizer, options, file);
    return new Dataset(TokenFile.open(file), null);
  }

  /**
   * A data set of ids that the application has already, in a temporary file that is deleted when it
   * is closed. What text they stand for is not known: each id counts as one byte of it, so that
   * bits per byte are bits per id.
   *
   * @param train ids to train on, may be none
   * @param validation ids to measure with, may be none
   * @param vocabularySize every id is smaller
   * @return a data set that the caller closes; its digest is the SHA-256 of all ids, those to train
   *     on first, as little-endian 32-bit integers
   * @throws IOException if the token file cannot be written
   * @throws IllegalArgumentException if the vocabulary size is not positive, or an id is outside
   *     the vocabulary
   */
  public static Dataset ofIds(int[] train, int[] validation, int vocabularySize)
      throws IOException {
    if (vocabularySize < 1) {
      throw new IllegalArgumentException(
          "vocabularySize (" + vocabularySize + ") must be positive");
    }
    int[] textBytes = new int[vocabularySize];
    Arrays.fill(textBytes, 1);
    return temporary(
        file -> {
          try (TokenFileWriter writer = new TokenFileWriter(file, textBytes)) {
            TextDigest digest = new TextDigest();
            for (int[] part : List.of(train, validation)) {
              writer.write(part);
              digest.ids(part);
            }
            writer.commit(train.length, digest.digest());
          }
        });
  }

  /** Writes a token file. */
  private interface Writing {
    void to(Path file) throws IOException;
  }

  private static Dataset temporary(Writing writing) throws IOException {
    Path file = Files.createTempFile("spatz-", ".tokens");
    try {
      writing.to(file);
      return new Dataset(TokenFile.open(file), file);
    } catch (IOException | RuntimeException | Error e) {
      Files.deleteIfExists(file);
      throw e;
    }
  }

  /**
   * Opens the data set that {@link #prepare} wrote into a directory. The file stays when it is
   * closed.
   *
   * @param directory that of {@link DatasetOptions#withDirectory}
   * @param tokenizer that of {@link #prepare}
   * @return a data set that the caller closes
   * @throws IOException if there is none, it is broken, or it was made with another tokenizer
   */
  public static Dataset open(Path directory, Tokenizer tokenizer) throws IOException {
    Path file = directory.resolve(FILE_NAME);
    TokenFile tokens = TokenFile.open(file);
    if (!Arrays.equals(tokens.header().textBytes(), textBytes(tokenizer))) {
      tokens.close();
      throw new IOException(
          file
              + " was made with another tokenizer, of a vocabulary of "
              + tokens.vocabularySize()
              + "; prepare it anew");
    }
    return new Dataset(tokens, null);
  }

  private static void write(Corpus corpus, Tokenizer tokenizer, DatasetOptions options, Path file)
      throws IOException {
    try (TokenFileWriter writer = new TokenFileWriter(file, textBytes(tokenizer))) {
      TextDigest digest = new TextDigest();
      encode(corpus, "document", tokenizer, writer, digest, options.threads());
      long trainLength = writer.length();
      if (options.validation() instanceof DatasetOptions.SeparateCorpus separate) {
        encode(
            separate.corpus(), "validation document", tokenizer, writer, digest, options.threads());
      } else if (options.validation() instanceof DatasetOptions.LastPart last) {
        trainLength = trainLength(writer.length(), last.fraction());
      }
      writer.commit(trainLength, digest.digest());
      LOG.info(
          "{} tokens for training, {} for validation", trainLength, writer.length() - trainLength);
    }
  }

  private static void encode(
      Corpus corpus,
      String name,
      Tokenizer tokenizer,
      TokenFileWriter writer,
      TextDigest digest,
      int threads)
      throws IOException {
    try (ParallelTokenizer encoder = new ParallelTokenizer(tokenizer, writer, threads, name)) {
      corpus.forEach(both(digest, encoder));
      encoder.finish();
    }
  }

  private static DocumentVisitor both(DocumentVisitor first, DocumentVisitor second) {
    return new DocumentVisitor() {
      @Override
      public void text(CharSequence piece) throws IOException {
        first.text(piece);
        second.text(piece);
      }

      @Override
      public void endOfDocument() throws IOException {
        first.endOfDocument();
        second.endOfDocument();
      }
    };
  }

  /** ⌊(1 − fraction)·n⌋ without the rounding of binary fractions. */
  static long trainLength(long n, double fraction) {
    return BigDecimal.ONE
        .subtract(BigDecimal.valueOf(fraction))
        .multiply(BigDecimal.valueOf(n))
        .longValue();
  }

  /** The bytes of text that each id stands for; special tokens stand for none. */
  static int[] textBytes(Tokenizer tokenizer) {
    int[] textBytes = new int[tokenizer.vocabularySize()];
    for (int id = 0; id < textBytes.length; id++) {
      if (tokenizer instanceof BytePairTokenizer bytePair) {
        textBytes[id] = bytePair.tokenBytes(id).length; // a part of a character, perhaps
      } else if (tokenizer instanceof PipelineTokenizer pipeline) {
        textBytes[id] = pipeline.tokenBytes(id).length;
      } else {
        textBytes[id] = tokenizer.decode(id).getBytes(StandardCharsets.UTF_8).length;
      }
    }
    for (SpecialToken special : tokenizer.specialTokens()) {
      textBytes[special.id()] = 0;
    }
    return textBytes;
  }

  /** {@return the tokens to train on} */
  public TokenSequence train() {
    return train;
  }

  /** {@return the tokens to measure with} */
  public TokenSequence validation() {
    return validation;
  }

  @Override
  public Sequences trainSequences(int contextLength) {
    return train.windows(contextLength);
  }

  @Override
  public Sequences validationSequences(int contextLength) {
    return validation.windows(contextLength);
  }

  @Override
  public long trainTokens() {
    return train.length();
  }

  @Override
  public long validationTokens() {
    return validation.length();
  }

  @Override
  public long textBytes() {
    return train.textBytes() + validation.textBytes();
  }

  /** Where the token file is. */
  Path file() {
    return tokens.path();
  }

  @Override
  public int vocabularySize() {
    return tokens.vocabularySize();
  }

  /**
   * SHA-256 of the text of all documents, as {@link Corpus#digest()} defines it; those of a
   * separate validation corpus come after the others.
   *
   * @return 64 lower-case hexadecimal digits
   */
  @Override
  public String digest() {
    return TextDigest.hexadecimal(tokens.header().digest());
  }

  /**
   * Makes sure that there is a window to train on, and something to measure with.
   *
   * @param contextLength the number of tokens in a window, at least 1
   * @throws IllegalArgumentException if the training part has fewer than {@code contextLength + 1}
   *     tokens or the validation part fewer than 2
   */
  @Override
  public void requireWindows(int contextLength) {
    if (train.length() <= contextLength) {
      throw tooFew(
          "training", train, contextLength + 1L, "one window of the context length and its target");
    }
    if (validation.length() < 2) {
      throw tooFew("validation", validation, 2, "one input and its target");
    }
  }

  private static IllegalArgumentException tooFew(
      String part, TokenSequence tokens, long needed, String why) {
    return new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "the %s part has %,d tokens (%,d bytes of text); it needs at least %,d: %s; "
                + "give more text, a shorter context or another validation fraction",
            part,
            tokens.length(),
            tokens.textBytes(),
            needed,
            why));
  }

  /** Closes the token file, and deletes it if it is temporary. */
  @Override
  public void close() {
    tokens.close();
    if (temporary != null) {
      try {
        Files.deleteIfExists(temporary);
      } catch (IOException e) {
        LOG.warn("the temporary token file {} could not be deleted", temporary, e);
      }
    }
  }
}
