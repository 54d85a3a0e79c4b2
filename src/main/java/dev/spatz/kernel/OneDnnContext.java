package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnn.check;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_set_deterministic;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_set_scratchpad_mode;
import static org.bytedeco.dnnl.global.dnnl.dnnl_scratchpad_mode_user;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_default_flags;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_destroy;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_stream;
import org.jspecify.annotations.Nullable;

/**
 * What one instance of the kernels needs to run primitives: a stream, the memory that they work in,
 * and the primitives made so far, since making one costs far more than running it.
 */
final class OneDnnContext implements AutoCloseable {
  private static final int SCRATCHPAD = 0;
  private static final int OPERAND = 1;
  private static final int NUMBER = 2;

  /** Primitives kept, those used last; a product's is half a megabyte of code. */
  private static final int CAPACITY = 512;

  private final dnnl_stream stream = new dnnl_stream();
  private final Map<ShapeKey, OneDnnPrimitive> primitives = new LastUsed();
  private final ShapeKey key = new ShapeKey();
  private final NativeScratch memory = new NativeScratch(3);
  private final NativeFloats floats = new NativeFloats();

  /** In the order of their last use; closes what it drops. */
  private static final class LastUsed extends LinkedHashMap<ShapeKey, OneDnnPrimitive> {
    private static final long serialVersionUID = 1;

    LastUsed() {
      super(CAPACITY, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<ShapeKey, OneDnnPrimitive> eldest) {
      if (size() <= CAPACITY) {
        return false;
      }
      eldest.getValue().close();
      return true;
    }
  }

  OneDnnContext() {
    check(dnnl_stream_create(stream, OneDnn.engine(), dnnl_stream_default_flags), "stream");
  }

  /** Begins the key of an operation; its shapes are added to it before {@link #find}. */
  ShapeKey key(int operation) {
    return key.begin(operation);
  }

  /** The key that was begun last, to add to it. */
  ShapeKey key() {
    return key;
  }

  /** The primitive of the current key, if there is one. */
  @Nullable OneDnnPrimitive find() {
    return primitives.get(key);
  }

  /** Keeps a new primitive under the current key. */
  OneDnnPrimitive keep(OneDnnPrimitive primitive) {
    primitives.put(key.copy(), primitive);
    return primitive;
  }

  void run(OneDnnPrimitive primitive) {
    long bytes = primitive.scratchpadBytes();
    primitive.run(stream, bytes == 0 ? 0 : memory.bytes(SCRATCHPAD, bytes));
  }

  /** The address of room for one operand in another layout, until this is asked for again. */
  long operand(long bytes) {
    return memory.bytes(OPERAND, bytes);
  }

  /** The address of a number, until this is asked for again. */
  long number(float value) {
    long address = memory.floats(NUMBER, 1);
    floats.put(address, value);
    return address;
  }

  /** Attributes that all primitives have; the caller destroys them. */
  static dnnl_primitive_attr attributes() {
    dnnl_primitive_attr attributes = new dnnl_primitive_attr();
    check(dnnl_primitive_attr_create(attributes), "attributes");
    check(
        dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user),
        "scratchpad mode");
    check(dnnl_primitive_attr_set_deterministic(attributes, 1), "deterministic mode");
    return attributes;
  }

  /** Bytes off the heap that primitives work in; their code is not counted. */
  long bytes() {
    return memory.bytes();
  }

  @Override
  public void close() {
    primitives.values().forEach(OneDnnPrimitive::close);
    primitives.clear();
    memory.close();
    dnnl_stream_destroy(stream);
  }
}
