package dev.spatz.template;

/**
 * A piece of a template's source.
 *
 * @param value a string's content, a sign, a name, or text between the tags
 * @param line where it stands, from 1
 */
record Token(Kind kind, String value, int line) {
  enum Kind {
    TEXT,
    TAG_BEGINS,
    TAG_ENDS,
    OUTPUT_BEGINS,
    OUTPUT_ENDS,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    SIGN,
    END
  }

  boolean is(Kind wanted, String spelled) {
    return kind == wanted && value.equals(spelled);
  }

  @Override
  public String toString() {
    return kind == Kind.END ? "the end of the template" : "'" + value + "'";
  }
}
