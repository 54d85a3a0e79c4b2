package dev.spatz.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line. Without arguments it trains a model on WordNet and shows it at work. */
@Command(
    name = "spatz",
    description = {
      "Trains and runs small language models.",
      "Without a command: trains one on WordNet's definitions, saves it, loads it again, and lets it"
          + " define some words; about 3 minutes."
    },
    footer = {"", "Exit codes: 0 success, 1 failure, 2 wrong usage."},
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true,
    subcommands = {
      TrainCommand.class,
      FineTuneCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      EvaluateCommand.class,
      ScoreCommand.class,
      RankCommand.class,
      InspectCommand.class,
      InfoCommand.class,
      MergeCommand.class,
      ExportCommand.class,
      BenchCommand.class
    })
public final class Main implements Callable<Integer> {
  private static final String LOG_LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

  /** What Java puts where the bytes of an argument mean nothing in the locale's encoding. */
  private static final char LOST = '\uFFFD';

  @Spec private CommandSpec spec;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Show the log, and the stack trace of an error.")
  private boolean verbose;

  private Main() {}

  /**
   * Runs a command; if it fails, ends the JVM with its exit code.
   *
   * @param arguments those of the command line
   */
  public static void main(String[] arguments) {
    int exit = run(Terminal.writer(System.out), Terminal.writer(System.err), arguments);
    if (exit != ExitCode.OK) {
      System.exit(exit); // only then: this may be Maven's JVM, which has not ended its work
    }
  }

  /** Runs a command with these outputs, and returns its exit code. */
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    for (String argument : arguments) {
      if (argument.indexOf(LOST) >= 0) {
        err.println(
            "spatz: \""
                + argument
                + "\" has lost characters, for which the locale has no encoding; set"
                + " LC_ALL=C.UTF-8");
        return ExitCode.USAGE;
      }
    }
    Main main = new Main();
    return new CommandLine(main)
        .setOut(out)
        .setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((failure, given) -> usage(failure))
        .setExecutionStrategy(main::execute)
        .setExecutionExceptionHandler(
            (failure, command, parsed) -> main.report(failure, command.getErr()))
        .execute(arguments);
  }

  @Override
  public Integer call() throws IOException {
    CommandLine commandLine = spec.commandLine();
    return new Demonstration(commandLine.getOut(), commandLine.getErr()).run();
  }

  private int execute(ParseResult parsed) {
    if (System.getProperty(LOG_LEVEL) == null) {
      System.setProperty(LOG_LEVEL, verbose ? "info" : "warn");
    }
    try {
      return new RunLast().execute(parsed);
    } catch (OutOfMemoryError e) {
      return report(e, parsed.commandSpec().commandLine().getErr());
    }
  }

  private static int usage(ParameterException failure) {
    CommandLine command = failure.getCommandLine();
    command
        .getErr()
        .println(
            String.format(
                Locale.ROOT,
                "spatz: %s (%s --help shows how)",
                failure.getMessage(),
                command.getCommandSpec().qualifiedName()));
    return ExitCode.USAGE;
  }

  private int report(Throwable failure, PrintWriter err) {
    if (verbose) {
      failure.printStackTrace(err);
    } else {
      err.println("spatz: " + Failures.sentence(failure));
    }
    err.flush();
    return failure instanceof IllegalArgumentException ? ExitCode.USAGE : ExitCode.SOFTWARE;
  }

  /** The version in the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"spatz " + (version == null ? "(not run from its jar)" : version)};
    }
  }
}
