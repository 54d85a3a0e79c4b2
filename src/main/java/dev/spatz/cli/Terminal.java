package dev.spatz.cli;

/** Whether a person watches. */
final class Terminal {
  private Terminal() {}

  /** Whether standard input and output are a terminal that can redraw a line. */
  static boolean isThere() {
    // JDK 22 to 24 would otherwise also give a console where there is no terminal.
    if (System.getProperty("jdk.console") == null) {
      System.setProperty("jdk.console", "java.base");
    }
    return System.console() != null && !"dumb".equals(System.getenv("TERM"));
  }
}
