package consumer;

import java.io.File;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;

/** What Spatz brings to a class path: one JavaCPP family, one platform's natives, no shell. */
final class ClassPath {
  private static final List<String> PLATFORMS =
      List.of("linux-", "macosx-", "windows-", "android-", "ios-");
  private static final List<String> BYTEDECO = List.of("javacpp-", "openblas-", "dnnl-", "opencl-");
  private static final List<String> SHELL =
      List.of("picocli", "progressbar", "slf4j-simple", "extjwnl");

  private ClassPath() {}

  static void check() {
    List<String> jars =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(path -> new File(path).getName())
            .filter(name -> name.endsWith(".jar"))
            .toList();
    String here = "-" + Loader.getPlatform() + ".jar";
    long natives = jars.stream().filter(name -> name.endsWith(here)).count();
    require(natives >= 5, "natives of this platform are missing (*" + here + ")", jars);
    for (String jar : jars) {
      boolean platform = PLATFORMS.stream().anyMatch(name -> jar.contains("-" + name));
      require(!platform || jar.endsWith(here), "natives of another platform: " + jar, jars);
      boolean bytedeco = BYTEDECO.stream().anyMatch(jar::startsWith);
      require(!bytedeco || jar.contains("1.5.13"), "not of JavaCPP's 1.5.13 family: " + jar, jars);
      require(SHELL.stream().noneMatch(jar::startsWith), "only for the command line: " + jar, jars);
    }
  }

  private static void require(boolean condition, String fault, List<String> jars) {
    if (!condition) {
      throw new AssertionError(fault + "; the class path has " + jars);
    }
  }
}
