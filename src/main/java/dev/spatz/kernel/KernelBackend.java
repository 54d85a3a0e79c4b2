package dev.spatz.kernel;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The implementations of {@link Kernels}, the fastest first, and the choice among them. */
public enum KernelBackend {
  /** oneDNN on the arrays' own memory: the fast path, float32 and bfloat16. */
  ONEDNN {
    @Override
    public Kernels create() {
      return new OneDnnKernels();
    }

    @Override
    public String instructionSet() {
      return OneDnn.instructionSet();
    }

    @Override
    String obstacle() {
      return OneDnn.obstacle();
    }
  },
  /** Plain ND4J operations: portable, the reference, float32 and float64. */
  ND4J {
    @Override
    public Kernels create() {
      return new Nd4jKernels();
    }

    @Override
    public String instructionSet() {
      return System.getProperty("os.arch");
    }

    @Override
    String obstacle() {
      return "";
    }
  };

  /** The system property that forces a choice: the name of a backend, in lower case. */
  public static final String PROPERTY = "spatz.kernels";

  private static final Logger LOG = LoggerFactory.getLogger(KernelBackend.class);

  /**
   * A new instance, for one thread at a time; the caller closes it.
   *
   * @throws IllegalStateException if this backend does not work on this machine
   */
  public abstract Kernels create();

  /**
   * The instructions that this backend computes with on this machine, by name: others may give
   * results of other bits.
   *
   * @throws IllegalStateException if this backend does not work on this machine
   */
  public abstract String instructionSet();

  /** Why this backend does not work on this machine; empty if it does. */
  abstract String obstacle();

  /**
   * The backend that the system property {@value #PROPERTY} names, else the fastest that works on
   * this machine. Logs which one, and why.
   *
   * @throws IllegalArgumentException if the property names no backend
   * @throws IllegalStateException if the property names one that does not work on this machine
   */
  public static KernelBackend choose() {
    return choose(System.getProperty(PROPERTY), KernelBackend::obstacle);
  }

  /** The choice, given the property's value and what hinders each backend. */
  static KernelBackend choose(@Nullable String forced, Function<KernelBackend, String> obstacles) {
    if (forced != null) {
      return forced(forced, obstacles);
    }
    for (KernelBackend backend : values()) {
      String obstacle = obstacles.apply(backend);
      if (obstacle.isEmpty()) {
        LOG.info("Kernels: {}, the fastest that works here", backend.label());
        return backend;
      }
      LOG.info("Kernels: not {}: {}", backend.label(), obstacle);
    }
    throw new IllegalStateException("no kernels work on this machine");
  }

  private static KernelBackend forced(String label, Function<KernelBackend, String> obstacles) {
    for (KernelBackend backend : values()) {
      if (backend.label().equals(label)) {
        String obstacle = obstacles.apply(backend);
        if (!obstacle.isEmpty()) {
          throw new IllegalStateException(
              String.format(
                  Locale.ROOT,
                  "%s (%s) must be kernels that work on this machine, but %s; name others or none",
                  PROPERTY,
                  label,
                  obstacle));
        }
        LOG.info("Kernels: {}, as {} says", label, PROPERTY);
        return backend;
      }
    }
    throw new IllegalArgumentException(
        String.format(
            Locale.ROOT, "%s (%s) must be one of %s, or not set", PROPERTY, label, labels()));
  }

  private String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  private static String labels() {
    return Arrays.stream(values()).map(KernelBackend::label).collect(Collectors.joining(", "));
  }
}
