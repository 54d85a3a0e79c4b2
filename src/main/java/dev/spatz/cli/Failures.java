package dev.spatz.cli;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Exceptions in words. */
final class Failures {
  private Failures() {}

  /** One sentence for people; the JDK's file exceptions have only the file as their message. */
  static String sentence(Throwable failure) {
    if (failure instanceof UncheckedIOException io) {
      return sentence(io.getCause());
    }
    if (failure instanceof OutOfMemoryError) {
      return "out of memory (" + failure.getMessage() + "); give the JVM more with -Xmx";
    }
    String message = failure.getMessage();
    if (message == null) {
      return failure.getClass().getName() + "; --verbose shows where";
    }
    boolean onlyTheFile =
        failure instanceof FileSystemException file && message.equals(file.getFile());
    return onlyTheFile && !message.contains(": ") ? message + ": " + fault(failure) : message;
  }

  private static String fault(Throwable failure) {
    if (failure instanceof NoSuchFileException) {
      return "there is no such file or directory";
    }
    if (failure instanceof FileAlreadyExistsException) {
      return "there is a file of this name";
    }
    return failure instanceof AccessDeniedException
        ? "access is denied"
        : failure.getClass().getSimpleName();
  }
}
