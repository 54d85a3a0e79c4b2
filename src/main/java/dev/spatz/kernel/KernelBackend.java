package dev.spatz.kernel;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The implementations of {@link Kernels}, and the choice among them. */
public enum KernelBackend {
  /** Plain ND4J operations: portable, the reference. */
  ND4J {
    @Override
    public Kernels create() {
      return new Nd4jKernels();
    }
  };

  /** The system property that forces a choice: the name of a backend, in lower case. */
  public static final String PROPERTY = "spatz.kernels";

  private static final Logger LOG = LoggerFactory.getLogger(KernelBackend.class);

  /** A new instance, for one thread at a time; the caller closes it. */
  public abstract Kernels create();

  /**
   * The backend that the system property {@value #PROPERTY} names, else the fastest that works on
   * this machine. Logs which one, and why.
   *
   * @throws IllegalArgumentException if the property names no backend
   */
  public static KernelBackend choose() {
    String forced = System.getProperty(PROPERTY);
    if (forced == null) {
      LOG.info("Kernels: {}, the only implementation", ND4J.label());
      return ND4J;
    }
    for (KernelBackend backend : values()) {
      if (backend.label().equals(forced)) {
        LOG.info("Kernels: {}, as {} says", forced, PROPERTY);
        return backend;
      }
    }
    throw new IllegalArgumentException(
        "%s (%s) must be one of %s, or not set".formatted(PROPERTY, forced, labels()));
  }

  private String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  private static String labels() {
    return Arrays.stream(values()).map(KernelBackend::label).collect(Collectors.joining(", "));
  }
}
