package dev.spatz.kernel;

import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Makes, views, fills and reads arrays; all other packages touch their contents through here.
 *
 * <p>Reading and writing treats an array as the flat sequence of its elements in C order, and
 * accepts float32 and float64 arrays that are C order and contiguous, views of whole rows included.
 * Elements are converted where the array's type and the Java type differ.
 */
public final class Tensors {
  /** Elements converted at a time. */
  private static final int BLOCK = 4096;

  private Tensors() {}

  /**
   * A new array of zeros, off the heap; the caller owns it and frees it by {@code close()}. What a
   * pass works on is better made by a {@link TensorArena}.
   */
  public static INDArray zeros(DataType type, long... shape) {
    return Nd4j.zeros(type, shape);
  }

  /** The same, but its elements are whatever the memory held: they must be written first. */
  public static INDArray uninitialized(DataType type, long... shape) {
    return Nd4j.createUninitialized(type, shape);
  }

  /**
   * A view of a part of a flat array, of its own shape; it owns nothing.
   *
   * @param flat (N)
   * @param offset first element
   * @param shape of the view; offset plus its elements is at most N
   * @throws IllegalArgumentException if {@code flat} has not one dimension, or the view exceeds it
   */
  public static INDArray view(INDArray flat, long offset, long... shape) {
    if (flat.rank() != 1) {
      throw new IllegalArgumentException(
          "a view is taken of a flat array, not of one of shape " + Arrays.toString(flat.shape()));
    }
    long[] strides = new long[shape.length];
    long length = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = length;
      length = Math.multiplyExact(length, shape[i]);
    }
    requireRange(flat, offset, length);
    return part(flat, shape, strides, offset);
  }

  /** A view of rows {@code from}…{@code to − 1} of a matrix; it owns nothing. */
  public static INDArray rows(INDArray matrix, long from, long to) {
    return part(matrix, from, to, 0, matrix.size(1));
  }

  /** A view of columns {@code from}…{@code to − 1} of a matrix; its rows have gaps. */
  static INDArray columns(INDArray matrix, long from, long to) {
    return part(matrix, 0, matrix.size(0), from, to);
  }

  private static INDArray part(INDArray matrix, long row, long toRow, long column, long toColumn) {
    Objects.checkFromToIndex(row, toRow, matrix.size(0));
    Objects.checkFromToIndex(column, toColumn, matrix.size(1));
    long[] shape = {toRow - row, toColumn - column};
    long[] strides = {matrix.stride(0), matrix.stride(1)};
    return part(matrix, shape, strides, row * strides[0] + column * strides[1]);
  }

  /** Not by {@code get}: ND4J 1.0.0-M2.1 gives an empty array for the end of some views. */
  private static INDArray part(INDArray array, long[] shape, long[] strides, long offset) {
    return Nd4j.create(array.data(), shape, strides, array.offset() + offset, 'c');
  }

  /** Sets every element of an array in C order without gaps to zero, without an array. */
  public static void zero(INDArray array) {
    if (!isDense(array)) {
      throw new IllegalArgumentException(
          "an array of strides " + Arrays.toString(array.stride()) + " has gaps: not set to zero");
    }
    zero(array, 0, array.length());
  }

  /** Sets elements {@code from}…{@code to − 1} of an array in C order without gaps to zero. */
  public static void zero(INDArray array, long from, long to) {
    requireRange(array, from, to - from);
    Pointer.memset(element(array, from), 0, array.dataType().width() * (to - from));
    Reference.reachabilityFence(array);
  }

  /** Sets every element. */
  public static void fill(INDArray array, double value) {
    array.assign(value);
  }

  /** Multiplies every element. */
  public static void scale(INDArray array, double factor) {
    array.muli(factor);
  }

  /** Copies all elements; arrays of one shape, whose types may differ. */
  public static void copy(INDArray source, INDArray target) {
    if (isDense(source)
        && isDense(target)
        && source.dataType() == target.dataType()
        && source.length() == target.length()) {
      copy(source, 0, target, 0, source.length()); // not by assign: it makes objects at every call
    } else {
      target.assign(source);
    }
  }

  /**
   * Copies elements from {@code from} on to those from {@code to} on; arrays of one type, in C
   * order without gaps.
   *
   * @throws IllegalArgumentException if an array has no such elements, or the types differ
   */
  public static void copy(INDArray source, long from, INDArray target, long to, long count) {
    requireRange(source, from, count);
    requireRange(target, to, count);
    if (source.dataType() != target.dataType()) {
      throw new IllegalArgumentException(
          "elements of type " + source.dataType() + " into an array of " + target.dataType());
    }
    long bytes = count * source.dataType().width();
    Pointer.memcpy(element(target, to), element(source, from), bytes);
    Reference.reachabilityFence(source);
    Reference.reachabilityFence(target);
  }

  /** Whether an array is in C order without gaps. */
  static boolean isDense(INDArray array) {
    long stride = 1;
    for (int i = array.rank() - 1; i >= 0; i--) {
      if (array.size(i) > 1 && array.stride(i) != stride) {
        return false;
      }
      stride *= array.size(i);
    }
    return true;
  }

  /**
   * One element.
   *
   * @throws IllegalArgumentException if there is no such element
   */
  public static double get(INDArray array, long index) {
    requireRange(array, index, 1);
    double value = isFloat(array) ? floats(array, index).get() : doubles(array, index).get();
    Reference.reachabilityFence(array);
    return value;
  }

  /**
   * Sets one element.
   *
   * @throws IllegalArgumentException if there is no such element
   */
  public static void put(INDArray array, long index, double value) {
    requireRange(array, index, 1);
    if (isFloat(array)) {
      floats(array, index).put((float) value);
    } else {
      doubles(array, index).put(value);
    }
    Reference.reachabilityFence(array);
  }

  /**
   * All elements.
   *
   * @throws IllegalArgumentException if they are more than a Java array holds
   */
  public static float[] toFloats(INDArray array) {
    float[] values = new float[javaLength(array)];
    read(array, 0, values, 0, values.length);
    return values;
  }

  /**
   * All elements.
   *
   * @throws IllegalArgumentException if they are more than a Java array holds
   */
  public static double[] toDoubles(INDArray array) {
    double[] values = new double[javaLength(array)];
    read(array, 0, values, 0, values.length);
    return values;
  }

  /**
   * Reads elements {@code from}…{@code from + count − 1} into {@code into[offset…]}.
   *
   * @throws IllegalArgumentException if the array has no such elements
   * @throws IndexOutOfBoundsException if {@code into} has no room for them
   */
  public static void read(INDArray array, long from, float[] into, int offset, int count) {
    requireRange(array, from, count);
    Objects.checkFromIndexSize(offset, count, into.length);
    if (isFloat(array)) {
      floats(array, from).get(into, offset, count);
    } else {
      DoublePointer source = doubles(array, from);
      double[] block = new double[Math.min(count, BLOCK)];
      for (int done = 0; done < count; done += block.length) {
        int size = Math.min(block.length, count - done);
        source.position(done).get(block, 0, size);
        for (int i = 0; i < size; i++) {
          into[offset + done + i] = (float) block[i];
        }
      }
    }
    Reference.reachabilityFence(array);
  }

  /** As {@link #read(INDArray, long, float[], int, int)}, without loss. */
  public static void read(INDArray array, long from, double[] into, int offset, int count) {
    requireRange(array, from, count);
    Objects.checkFromIndexSize(offset, count, into.length);
    if (isFloat(array)) {
      FloatPointer source = floats(array, from);
      float[] block = new float[Math.min(count, BLOCK)];
      for (int done = 0; done < count; done += block.length) {
        int size = Math.min(block.length, count - done);
        source.position(done).get(block, 0, size);
        for (int i = 0; i < size; i++) {
          into[offset + done + i] = block[i];
        }
      }
    } else {
      doubles(array, from).get(into, offset, count);
    }
    Reference.reachabilityFence(array);
  }

  /**
   * Writes {@code values[offset…offset + count − 1]} to the elements from {@code from} on.
   *
   * @throws IllegalArgumentException if the array has no such elements
   * @throws IndexOutOfBoundsException if {@code values} has no such elements
   */
  public static void write(INDArray array, long from, float[] values, int offset, int count) {
    requireRange(array, from, count);
    Objects.checkFromIndexSize(offset, count, values.length);
    if (isFloat(array)) {
      floats(array, from).put(values, offset, count);
    } else {
      DoublePointer target = doubles(array, from);
      double[] block = new double[Math.min(count, BLOCK)];
      for (int done = 0; done < count; done += block.length) {
        int size = Math.min(block.length, count - done);
        for (int i = 0; i < size; i++) {
          block[i] = values[offset + done + i];
        }
        target.position(done).put(block, 0, size);
      }
    }
    Reference.reachabilityFence(array);
  }

  /** As {@link #write(INDArray, long, float[], int, int)}; rounded where the array is float32. */
  public static void write(INDArray array, long from, double[] values, int offset, int count) {
    requireRange(array, from, count);
    Objects.checkFromIndexSize(offset, count, values.length);
    if (isFloat(array)) {
      FloatPointer target = floats(array, from);
      float[] block = new float[Math.min(count, BLOCK)];
      for (int done = 0; done < count; done += block.length) {
        int size = Math.min(block.length, count - done);
        for (int i = 0; i < size; i++) {
          block[i] = (float) values[offset + done + i];
        }
        target.position(done).put(block, 0, size);
      }
    } else {
      doubles(array, from).put(values, offset, count);
    }
    Reference.reachabilityFence(array);
  }

  /** Where the array's element {@code from} is. */
  private static Pointer element(INDArray array, long from) {
    return new Address(address(array) + array.dataType().width() * from);
  }

  /** A pointer whose element 0 is the array's element {@code from}. */
  private static FloatPointer floats(INDArray array, long from) {
    return new FloatPointer(element(array, from));
  }

  private static DoublePointer doubles(INDArray array, long from) {
    return new DoublePointer(element(array, from));
  }

  /**
   * Where an array's first element is; a buffer's own address is that of the whole, not a view's.
   */
  static long address(INDArray array) {
    return array.data().address() + array.offset() * array.data().getElementSize();
  }

  private static boolean isFloat(INDArray array) {
    return switch (array.dataType()) {
      case FLOAT -> true;
      case DOUBLE -> false;
      default ->
          throw new IllegalArgumentException(
              "elements of type " + array.dataType() + " are neither float32 nor float64");
    };
  }

  private static void requireRange(INDArray array, long from, long count) {
    if (from < 0 || count < 0 || from > array.length() - count) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "elements %,d…%,d are not within the array's %,d",
              from,
              from + count - 1,
              array.length()));
    }
  }

  private static int javaLength(INDArray array) {
    if (array.length() > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%,d elements are more than a Java array holds; read them in parts",
              array.length()));
    }
    return (int) array.length();
  }

  /** An address that owns nothing. */
  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }
}
