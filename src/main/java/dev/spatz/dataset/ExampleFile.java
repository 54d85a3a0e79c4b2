package dev.spatz.dataset;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Examples in a file, so that a training on them can go on in another process. Big-endian:
 *
 * <pre>
 * byte[8] magic "SPATZEXA"
 * int     version, 2
 * int     examples of a group: 1, or 2 where the examples are pairs of answers
 * int     vocabulary size V
 * int[V]  bytes of text that each id stands for; 0 for special tokens
 * int     number of groups to train on
 * int     number of groups to measure with
 * of each example, those to train on first:
 *   int    number of tokens n
 *   int[n] twice the id, and one more where the token is to be predicted
 * </pre>
 */
final class ExampleFile {
  private static final byte[] MAGIC = {'S', 'P', 'A', 'T', 'Z', 'E', 'X', 'A'};
  private static final int VERSION = 2;
  private static final int LARGEST_GROUP = 2;

  private final Path path;
  private final DataInputStream in;
  private long left;

  private ExampleFile(Path path, DataInputStream in, long size) {
    this.path = path;
    this.in = in;
    this.left = size;
  }

  /** What a file has: groups of examples, all of one size. */
  record Content(
      int groupSize,
      int[] textBytes,
      List<List<EncodedExample>> train,
      List<List<EncodedExample>> validation) {}

  /** Writes a file, whole or not at all. */
  static void write(Path file, Content content) throws IOException {
    Path partial = file.resolveSibling(file.getFileName() + ".partial");
    try (FileChannel channel =
            FileChannel.open(
                partial,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
        OutputStream stream = new BufferedOutputStream(Channels.newOutputStream(channel));
        DataOutputStream out = new DataOutputStream(stream)) {
      out.write(MAGIC);
      out.writeInt(VERSION);
      out.writeInt(content.groupSize);
      out.writeInt(content.textBytes.length);
      for (int bytes : content.textBytes) {
        out.writeInt(bytes);
      }
      out.writeInt(content.train.size());
      out.writeInt(content.validation.size());
      for (List<List<EncodedExample>> part : List.of(content.train, content.validation)) {
        for (List<EncodedExample> group : part) {
          for (EncodedExample example : group) {
            write(out, example);
          }
        }
      }
      out.flush();
      channel.force(true);
    } catch (IOException e) {
      Files.deleteIfExists(partial);
      throw e;
    }
    Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void write(DataOutputStream out, EncodedExample example) throws IOException {
    int[] ids = example.ids();
    boolean[] predicted = example.predicted();
    out.writeInt(ids.length);
    for (int i = 0; i < ids.length; i++) {
      out.writeInt(2 * ids[i] + (predicted[i] ? 1 : 0));
    }
  }

  /**
   * Reads a file.
   *
   * @throws IOException if it cannot be read or is not sound; the message names the file, the byte
   *     and the fault
   */
  static Content read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file);
        DataInputStream in =
            new DataInputStream(new BufferedInputStream(Channels.newInputStream(channel)))) {
      return new ExampleFile(file, in, channel.size()).read(channel.size());
    }
  }

  private Content read(long size) throws IOException {
    byte[] magic = new byte[MAGIC.length];
    require(left >= MAGIC.length, "the file ends here");
    in.readFully(magic);
    require(Arrays.equals(magic, MAGIC), "no file of examples");
    left -= MAGIC.length;
    int version = number("version", VERSION);
    require(version == VERSION, "version " + version + " is not " + VERSION);
    int groupSize = number("examples of a group", LARGEST_GROUP);
    require(groupSize > 0, "a group of no examples");
    int vocabulary = number("vocabulary size", size / Integer.BYTES);
    int[] textBytes = new int[vocabulary];
    for (int id = 0; id < vocabulary; id++) {
      textBytes[id] = number("bytes of text", TokenFileHeader.MAX_TEXT_BYTES);
    }
    long most = size / (3L * Integer.BYTES * groupSize); // an example: a length, two tokens
    int train = number("number of groups", most);
    int validation = number("number of groups", most - train);
    Content content =
        new Content(
            groupSize,
            textBytes,
            groups(train, groupSize, vocabulary),
            groups(validation, groupSize, vocabulary));
    require(left == 0, left + " bytes are left over");
    return content;
  }

  private List<List<EncodedExample>> groups(int count, int size, int vocabulary)
      throws IOException {
    List<List<EncodedExample>> groups = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      groups.add(examples(size, vocabulary));
    }
    return groups;
  }

  private List<EncodedExample> examples(int count, int vocabulary) throws IOException {
    List<EncodedExample> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int length = number("number of tokens", left / Integer.BYTES - 1);
      int[] ids = new int[length];
      boolean[] predicted = new boolean[length];
      for (int j = 0; j < length; j++) {
        int token = number("token", 2L * vocabulary - 1);
        ids[j] = token / 2;
        predicted[j] = token % 2 == 1;
      }
      try {
        examples.add(new EncodedExample(ids, predicted));
      } catch (IllegalArgumentException e) {
        throw fault(e.getMessage());
      }
    }
    return examples;
  }

  /** The next number, from 0 to {@code most}. */
  private int number(String name, long most) throws IOException {
    require(left >= Integer.BYTES, "the file ends here");
    int value = in.readInt();
    require(value >= 0 && value <= most, name + " (" + value + ") must be from 0 to " + most);
    left -= Integer.BYTES;
    return value;
  }

  private void require(boolean sound, String fault) throws IOException {
    if (!sound) {
      throw fault(fault);
    }
  }

  private IOException fault(String fault) throws IOException {
    return new IOException(path + ", byte " + (Files.size(path) - left) + ": " + fault);
  }
}
