package dev.spatz.kernel;

import static java.util.Map.entry;
import static org.bytedeco.dnnl.global.dnnl.dnnl_bf16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx10_2_512;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx10_2_512_amx_2;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2_vnni;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2_vnni_2;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_amx;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_amx_fp16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_bf16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_fp16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_vnni;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_default;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_sse41;
import static org.bytedeco.dnnl.global.dnnl.dnnl_engine_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_get_effective_cpu_isa;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_create_with_strides;
import static org.bytedeco.dnnl.global.dnnl.dnnl_s8;
import static org.bytedeco.dnnl.global.dnnl.dnnl_set_primitive_cache_capacity;
import static org.bytedeco.dnnl.global.dnnl.dnnl_success;

import java.util.Map;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.jspecify.annotations.Nullable;

/** oneDNN's CPU engine, one for the process, and the layouts of its memory. */
final class OneDnn {
  /** Primitives that oneDNN itself keeps, for all threads; its own 1,024 are half a gigabyte. */
  private static final int SHARED_PRIMITIVES = 256;

  private static final Map<Integer, String> INSTRUCTION_SETS =
      Map.ofEntries(
          entry(dnnl_cpu_isa_sse41, "sse41"),
          entry(dnnl_cpu_isa_avx, "avx"),
          entry(dnnl_cpu_isa_avx2, "avx2"),
          entry(dnnl_cpu_isa_avx2_vnni, "avx2_vnni"),
          entry(dnnl_cpu_isa_avx2_vnni_2, "avx2_vnni_2"),
          entry(dnnl_cpu_isa_avx512_core, "avx512_core"),
          entry(dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"),
          entry(dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"),
          entry(dnnl_cpu_isa_avx512_core_fp16, "avx512_core_fp16"),
          entry(dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"),
          entry(dnnl_cpu_isa_avx512_core_amx_fp16, "avx512_core_amx_fp16"),
          entry(dnnl_cpu_isa_avx10_2_512, "avx10_2_512"),
          entry(dnnl_cpu_isa_avx10_2_512_amx_2, "avx10_2_512_amx_2"));

  private OneDnn() {}

  /** Loads the native library when it is first asked for. */
  private static final class Holder {
    static final @Nullable dnnl_engine ENGINE;
    static final String OBSTACLE;

    static {
      dnnl_engine engine = null;
      String obstacle = "";
      try {
        engine = new dnnl_engine();
        check(dnnl_engine_create(engine, dnnl_cpu, 0), "engine");
        check(dnnl_set_primitive_cache_capacity(SHARED_PRIMITIVES), "primitive cache");
      } catch (LinkageError | IllegalStateException e) {
        engine = null;
        Throwable cause = e;
        while (cause.getCause() != null) {
          cause = cause.getCause();
        }
        obstacle = "oneDNN's native library does not load: " + cause;
      }
      ENGINE = engine;
      OBSTACLE = obstacle;
    }
  }

  /** Why oneDNN does not work here; empty where it does. */
  static String obstacle() {
    return Holder.OBSTACLE;
  }

  static dnnl_engine engine() {
    dnnl_engine engine = Holder.ENGINE;
    if (engine == null) {
      throw new IllegalStateException(Holder.OBSTACLE);
    }
    return engine;
  }

  /** The instructions that oneDNN uses on this machine, by its own name for them. */
  static String instructionSet() {
    engine();
    int number = dnnl_get_effective_cpu_isa();
    String architecture = System.getProperty("os.arch");
    return number == dnnl_cpu_isa_default
        ? architecture
        : architecture + " " + INSTRUCTION_SETS.getOrDefault(number, Integer.toString(number));
  }

  /** Refuses a status other than success. */
  static void check(int status, String what) {
    if (status != dnnl_success) {
      throw new IllegalStateException("oneDNN: " + what + " failed with status " + status);
    }
  }

  /** A float32 layout; the caller destroys it. */
  static dnnl_memory_desc strided(long[] dimensions, long[] strides) {
    return strided(dnnl_f32, dimensions, strides);
  }

  /** A layout of elements of one of oneDNN's types; the caller destroys it. */
  static dnnl_memory_desc strided(int type, long[] dimensions, long[] strides) {
    dnnl_memory_desc layout = new dnnl_memory_desc();
    check(
        dnnl_memory_desc_create_with_strides(layout, dimensions.length, dimensions, type, strides),
        "memory layout");
    return layout;
  }

  /** A float32 layout in C order; the caller destroys it. */
  static dnnl_memory_desc dense(long... dimensions) {
    return denseOf(dnnl_f32, dimensions);
  }

  /** A layout of elements of one of oneDNN's types in C order; the caller destroys it. */
  static dnnl_memory_desc denseOf(int type, long... dimensions) {
    long[] strides = new long[dimensions.length];
    long stride = 1;
    for (int i = dimensions.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= dimensions[i];
    }
    return strided(type, dimensions, strides);
  }

  /** Bytes of an element. */
  static int width(int type) {
    return type == dnnl_s8 ? Byte.BYTES : type == dnnl_bf16 ? Short.BYTES : Float.BYTES;
  }

  /** Whether this processor has instructions for products of bfloat16. */
  static boolean multipliesBf16() {
    return has(dnnl_cpu_isa_avx512_core_bf16);
  }

  /** Whether this processor has instructions for sums of products of int8 that do not saturate. */
  static boolean multipliesInt8() {
    return has(dnnl_cpu_isa_avx512_core_vnni) || has(dnnl_cpu_isa_avx2_vnni);
  }

  /** Whether oneDNN's matrix product in the manner of BLAS is made for this processor. */
  static boolean hasGemm() {
    return has(dnnl_cpu_isa_avx2);
  }

  /** oneDNN's numbers of instruction sets have a bit for each part. */
  private static boolean has(int instructions) {
    int isa = obstacle().isEmpty() ? dnnl_get_effective_cpu_isa() : 0;
    return (isa & instructions) == instructions;
  }
}
