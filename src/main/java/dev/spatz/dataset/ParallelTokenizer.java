package dev.spatz.dataset;

import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Tokenizes documents with several threads and writes their ids in order, with an end-of-text token
 * between documents. The thread that visits the documents cuts them where the tokenizer allows it,
 * the workers encode, and the visiting thread writes; so the ids depend neither on the number of
 * threads nor on the size of the pieces.
 *
 * <p>In memory are at most {@link #BATCHES_PER_THREAD} batches a thread, of about {@code
 * pieceChars} characters each.
 */
final class ParallelTokenizer implements DocumentVisitor, AutoCloseable {
  static final int DEFAULT_PIECE_CHARS = 1 << 16;
  static final int MAX_UNCUT_CHARS = 1 << 26;

  private static final int BATCHES_PER_THREAD = 4;

  /** Text that is encoded in one go, and where it comes from, for messages. */
  private record Piece(String text, boolean afterDocument, long document, long index) {}

  private final Tokenizer tokenizer;
  private final TokenFileWriter writer;
  private final String name;
  private final int pieceChars;
  private final int maxUncutChars;
  private final int maxBatches;
  private final ExecutorService workers;
  private final Queue<Future<int[]>> encoded = new ArrayDeque<>();

  private final StringBuilder pending = new StringBuilder();
  private List<Piece> batch = new ArrayList<>();
  private int batchChars;
  private int tryCutAt;
  private long documents;
  private long index; // in the document, of the first pending character
  private boolean afterDocument;

  /**
   * Starts the workers.
   *
   * @param name what a document is called in messages
   */
  ParallelTokenizer(Tokenizer tokenizer, TokenFileWriter writer, int threads, String name) {
    this(tokenizer, writer, threads, name, DEFAULT_PIECE_CHARS, MAX_UNCUT_CHARS);
  }

  ParallelTokenizer(
      Tokenizer tokenizer,
      TokenFileWriter writer,
      int threads,
      String name,
      int pieceChars,
      int maxUncutChars) {
    this.tokenizer = tokenizer;
    this.writer = writer;
    this.name = name;
    this.pieceChars = pieceChars;
    this.maxUncutChars = maxUncutChars;
    this.maxBatches = threads * BATCHES_PER_THREAD;
    this.tryCutAt = pieceChars;
    this.workers =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, "spatz-tokenizer");
              thread.setDaemon(true);
              return thread;
            });
  }

  @Override
  public void text(CharSequence text) throws IOException {
    for (int from = 0; from < text.length(); ) {
      int to = Math.min(text.length(), from + pieceChars);
      if (to < text.length() && Character.isLowSurrogate(text.charAt(to))) {
        to++; // half a character could make a cut seem safe
      }
      pending.append(text, from, to);
      from = to;
      if (pending.length() >= tryCutAt) {
        cut();
      }
    }
  }

  private void cut() throws IOException {
    int cut = tokenizer.cut(pending);
    if (cut > 0) {
      add(cut);
    } else if (pending.length() > maxUncutChars) {
      throw new IOException(
          name
              + " "
              + (documents + 1)
              + " has no place to cut it in the "
              + pending.length()
              + " characters from "
              + index
              + " on (such as a change between letters and spaces); is it text?");
    }
    // Doubling keeps the search for a cut in one long word from taking quadratic time.
    tryCutAt = Math.min(Math.max(pieceChars, 2 * pending.length()), maxUncutChars + 1);
  }

  @Override
  public void endOfDocument() throws IOException {
    if (pending.length() > 0 || afterDocument) {
      add(pending.length());
    }
    documents++;
    index = 0;
    afterDocument = true;
    tryCutAt = pieceChars;
  }

  /** Moves the first pending characters into the batch. */
  private void add(int chars) throws IOException {
    batch.add(new Piece(pending.substring(0, chars), afterDocument, documents + 1, index));
    pending.delete(0, chars);
    index += chars;
    afterDocument = false;
    batchChars += chars + 1; // an empty document takes room, too
    if (batchChars >= pieceChars) {
      submit();
    }
  }

  private void submit() throws IOException {
    List<Piece> pieces = batch;
    encoded.add(workers.submit(() -> encode(pieces)));
    batch = new ArrayList<>();
    batchChars = 0;
    if (encoded.size() > maxBatches) {
      writeFirst();
    }
  }

  /** Writes what is left of the documents, after the last of them. */
  void finish() throws IOException {
    submit();
    while (!encoded.isEmpty()) {
      writeFirst();
    }
  }

  private void writeFirst() throws IOException {
    try {
      writer.write(encoded.remove().get());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted while tokenizing").initCause(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      } else if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw new IllegalStateException("encoding throws nothing else", e);
    }
  }

  private int[] encode(List<Piece> pieces) {
    int[] ids = new int[pieceChars];
    int n = 0;
    for (Piece piece : pieces) {
      int[] encoded = encode(piece);
      if (ids.length < n + encoded.length + 1) {
        ids = Arrays.copyOf(ids, Math.max(2 * ids.length, n + encoded.length + 1));
      }
      if (piece.afterDocument) {
        ids[n++] = tokenizer.endOfText();
      }
      System.arraycopy(encoded, 0, ids, n, encoded.length);
      n += encoded.length;
    }
    return Arrays.copyOf(ids, n);
  }

  private int[] encode(Piece piece) {
    try {
      return piece.index == 0
          ? tokenizer.encode(piece.text)
          : tokenizer.encodeContinuation(piece.text);
    } catch (IllegalArgumentException e) {
      String place = piece.index == 0 ? "" : ", counted from character " + piece.index;
      throw new IllegalArgumentException(
          name + " " + piece.document + place + ": " + e.getMessage(), e);
    }
  }

  /** Ends the workers, whatever they still do. */
  @Override
  public void close() {
    workers.shutdownNow();
  }
}
