package dev.spatz.generation;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * A text that is generated while it is read. Each piece has whole characters, and the pieces joined
 * are the text that {@link Generator#generate} gives for the seed. It is written on whether it is
 * read or not, so a slow reader holds nobody up. It is read by one thread at a time; any thread may
 * close it.
 */
public final class TextStream implements Iterable<String>, AutoCloseable {
  private final Session session;
  private boolean taken;
  private volatile boolean over;

  TextStream(Session session) {
    this.session = session;
  }

  /**
   * The pieces, to be read once. Reading throws {@code IllegalStateException} when the model is
   * closed before the end.
   *
   * @throws IllegalStateException if the iterator was taken already
   */
  @Override
  public Iterator<String> iterator() {
    if (taken) {
      throw new IllegalStateException("the text can be read only once");
    }
    taken = true;
    return new Pieces();
  }

  /**
   * What was generated and why it ended.
   *
   * @throws IllegalStateException if it has neither been read to its end nor been closed
   */
  public Generation result() {
    if (!over) {
      throw new IllegalStateException("the text has not ended; read all of it, or close it");
    }
    return session.result();
  }

  /**
   * Ends the text, unless it was read to its end, and frees its place before the next token.
   * Closing twice is fine.
   */
  @Override
  public void close() {
    over = true;
    session.close();
  }

  private final class Pieces implements Iterator<String> {
    private @Nullable String piece;

    @Override
    public boolean hasNext() {
      if (piece == null) {
        piece = session.next();
        over |= piece == null;
      }
      return piece != null;
    }

    @Override
    public String next() {
      hasNext();
      String result = piece;
      if (result == null) {
        throw new NoSuchElementException("the text has ended");
      }
      piece = null;
      return result;
    }
  }
}
