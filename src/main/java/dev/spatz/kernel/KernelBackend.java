package dev.spatz.kernel;

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

  /** A new instance for the calling thread; the caller closes it. */
  public abstract Kernels create();
}
