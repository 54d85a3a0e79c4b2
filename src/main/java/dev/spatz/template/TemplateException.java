package dev.spatz.template;

/** A template that is wrong, asks for what is not implemented or too much, or raises an error. */
public final class TemplateException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  TemplateException(String message) {
    super(message);
  }
}
