package dev.spatz.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Arrays that are used again at every call, one for each slot, made larger when a call needs more.
 * What a slot held before is lost when it is asked for again.
 */
final class Nd4jScratch implements AutoCloseable {
  private final List<@Nullable Slot> slots = new ArrayList<>();

  /** Read by others than the thread that works with it. */
  private volatile long bytes;

  private record Slot(INDArray flat, INDArray view) {
    long bytes() {
      return flat.length() * flat.dataType().width();
    }
  }

  /** The slot's array in this type and shape; its contents are left over from any earlier use. */
  INDArray array(int slot, DataType type, long... shape) {
    while (slots.size() <= slot) {
      slots.add(null);
    }
    Slot held = slots.get(slot);
    if (held != null && held.flat.dataType() == type) {
      if (Arrays.equals(held.view.shape(), shape)) {
        return held.view;
      }
      if (held.flat.length() >= length(shape)) {
        return hold(slot, held.flat, shape);
      }
    }
    if (held != null) {
      bytes -= held.bytes();
      held.flat.close();
    }
    INDArray flat = Tensors.zeros(type, length(shape));
    bytes += flat.length() * type.width();
    return hold(slot, flat, shape);
  }

  /** The slot's array in the type and shape of another. */
  INDArray like(int slot, INDArray other) {
    return array(slot, other.dataType(), other.shape());
  }

  private INDArray hold(int slot, INDArray flat, long... shape) {
    INDArray view = Tensors.view(flat, 0, shape);
    slots.set(slot, new Slot(flat, view));
    return view;
  }

  /** Bytes off the heap of all slots. */
  long bytes() {
    return bytes;
  }

  private static long length(long... shape) {
    long length = 1;
    for (long size : shape) {
      length = Math.multiplyExact(length, size);
    }
    return length;
  }

  @Override
  public void close() {
    for (Slot slot : slots) {
      if (slot != null) {
        slot.flat.close();
      }
    }
    slots.clear();
    bytes = 0;
  }
}
