package dev.spatz.cli;

import dev.spatz.training.TrainingConfig;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Named training configurations. */
enum Preset {
  /** Everything by the size of the corpus; about three minutes. */
  AUTO,
  /** nanoGPT's published configuration for a CPU: characters, 4 layers, 2,000 steps. */
  NANOGPT_CPU;

  TrainingConfig config() {
    return switch (this) {
      case AUTO -> TrainingConfig.defaults();
      case NANOGPT_CPU -> TrainingConfig.nanoGpt();
    };
  }

  /** As it is written on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Takes a preset's name, and no other spelling. */
  static final class Converter implements ITypeConverter<Preset> {
    @Override
    public Preset convert(String name) {
      return Stream.of(values())
          .filter(preset -> preset.toString().equals(name))
          .findFirst()
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      String.format(
                          Locale.ROOT, "'%s' is none of %s", name, Arrays.toString(values()))));
    }
  }
}
