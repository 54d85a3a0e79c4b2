package dev.spatz.dataset;

/** Hears of records that are left out. */
public interface RecordFaults {
  /** A record is left out; {@code fault} has its place. */
  void leftOut(String fault);
}
