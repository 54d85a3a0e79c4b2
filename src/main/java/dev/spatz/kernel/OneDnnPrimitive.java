package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnn.check;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_get_size;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_set_data_handle;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_query_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_execute;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_scratchpad_md;

import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.javacpp.Pointer;

/** An operation on fixed shapes, whose arguments are bound to addresses before each run. */
final class OneDnnPrimitive implements AutoCloseable {
  private final dnnl_primitive primitive = new dnnl_primitive();
  private final dnnl_memory[] memories;
  private final long[] addresses;
  private final dnnl_exec_arg_t arguments;
  private final long scratchpadBytes;
  private final Address handle = new Address();

  /** An address that owns nothing. */
  private static final class Address extends Pointer {
    Address at(long address) {
      this.address = address;
      return this;
    }
  }

  /**
   * Makes the primitive and destroys its description and the layouts.
   *
   * @param names oneDNN's numbers of the arguments, in the order in which they will be bound
   * @param layouts of the arguments
   */
  OneDnnPrimitive(dnnl_primitive_desc description, int[] names, dnnl_memory_desc... layouts) {
    check(dnnl_primitive_create(primitive, description), "primitive");
    dnnl_memory_desc scratchpad =
        dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    scratchpadBytes = dnnl_memory_desc_get_size(scratchpad);
    memories = new dnnl_memory[names.length + 1];
    addresses = new long[memories.length];
    arguments = new dnnl_exec_arg_t(memories.length);
    for (int i = 0; i < names.length; i++) {
      add(i, names[i], layouts[i]);
    }
    add(names.length, DNNL_ARG_SCRATCHPAD, scratchpad);
    for (dnnl_memory_desc layout : layouts) {
      dnnl_memory_desc_destroy(layout);
    }
    check(dnnl_primitive_desc_destroy(description), "description");
  }

  private void add(int index, int name, dnnl_memory_desc layout) {
    memories[index] = new dnnl_memory();
    check(dnnl_memory_create(memories[index], layout, OneDnn.engine(), handle.at(0)), "memory");
    arguments.position(index).arg(name).memory(memories[index]);
    arguments.position(0);
  }

  /** Says where an argument is, from now on. */
  OneDnnPrimitive bind(int index, long address) {
    if (addresses[index] != address) {
      check(dnnl_memory_set_data_handle(memories[index], handle.at(address)), "binding");
      addresses[index] = address;
    }
    return this;
  }

  long scratchpadBytes() {
    return scratchpadBytes;
  }

  void run(dnnl_stream stream, long scratchpad) {
    bind(memories.length - 1, scratchpad);
    check(dnnl_primitive_execute(primitive, stream, memories.length, arguments), "execution");
  }

  @Override
  public void close() {
    for (dnnl_memory memory : memories) {
      dnnl_memory_destroy(memory);
    }
    dnnl_primitive_destroy(primitive);
    arguments.close();
  }
}
