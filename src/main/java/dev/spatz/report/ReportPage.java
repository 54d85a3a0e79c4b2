package dev.spatz.report;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/** The page of a run: charts, samples and settings in one file, light or dark as the reader is. */
final class ReportPage {
  private static final int SMOOTHED_PARTS = 50;
  private static final int WIDE = 1120;
  private static final int NARROW = 540;

  private static final String STYLE =
      """
      :root{color-scheme:light dark;--page:#fafaf8;--card:#fff;--ink:#222;--soft:#6b6b6b;
      --edge:#e4e2dc;--faint:#d9b48a;--main:#b4540a;--second:#1f6f8b}
      @media (prefers-color-scheme:dark){:root{--page:#161719;--card:#1f2124;--ink:#e8e6e1;
      --soft:#9a9a96;--edge:#33363a;--faint:#6d4a28;--main:#f0954a;--second:#5cb8d6}}
      *{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
      font:16px/1.5 system-ui,sans-serif}main{max-width:72rem;margin:0 auto;padding:2rem 1rem 4rem}
      h1{font-size:1.6rem;margin:0}h2{font-size:1.05rem;margin:0 0 .4rem}
      .lead{color:var(--soft);margin:.2rem 0 1.5rem}
      .figures{display:flex;flex-wrap:wrap;gap:1rem;margin:0 0 1rem;padding:0;list-style:none}
      .figures li{flex:1 1 9rem}.figures b{display:block;font-size:1.5rem;font-weight:600;
      font-variant-numeric:tabular-nums}.figures span{color:var(--soft);font-size:.85rem}
      .grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}
      .card,.figures li{background:var(--card);border:1px solid var(--edge);border-radius:.6rem;
      padding:1rem}.wide{grid-column:1/-1}svg{width:100%;height:auto;display:block}
      svg text{fill:var(--soft);font:11px system-ui,sans-serif}svg .y{text-anchor:end;
      dominant-baseline:middle}svg .x{text-anchor:middle}svg path{fill:none;stroke-width:1.8;
      stroke-linejoin:round}svg .grid{stroke:var(--edge)}path.faint{stroke:var(--faint);
      stroke-width:1}path.main{stroke:var(--main)}path.second{stroke:var(--second)}
      circle.second{fill:var(--second)}.key{color:var(--soft);font-size:.85rem;margin:.2rem 0 0}
      .key i{display:inline-block;width:1rem;height:.2rem;vertical-align:middle;margin:0 .3rem 0 .8rem}
      .sample{margin:.8rem 0 0}.sample b{color:var(--soft);font-weight:500;font-size:.85rem}
      pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0 0;font:.9rem/1.45 ui-monospace,
      monospace}table{border-collapse:collapse;width:100%;font-size:.9rem}td{padding:.25rem .5rem;
      border-top:1px solid var(--edge);overflow-wrap:anywhere;vertical-align:top}td:first-child{
      color:var(--soft);white-space:nowrap}
      """;

  private final RunHistory run;
  private final StringBuilder page = new StringBuilder();

  private ReportPage(RunHistory run) {
    this.run = run;
  }

  static String of(RunHistory run) {
    ReportPage page = new ReportPage(run);
    page.page
        .append("<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>")
        .append("<meta name='viewport' content='width=device-width, initial-scale=1'>")
        .append("<title>Training report</title><style>")
        .append(STYLE)
        .append("</style></head><body><main>\n");
    page.head();
    page.charts();
    page.faults();
    page.samples();
    page.settings();
    return page.page.append("</main></body></html>\n").toString();
  }

  private void head() {
    RunHistory.Ending ending = run.ending;
    String state =
        ending == null
            ? "under way, or stopped without a word"
            : switch (ending.reason()) {
              case "STEPS" -> "done";
              case "TIME" -> "ended at the time limit";
              case "TOKENS" -> "ended at the token limit";
              case "PATIENCE" -> "ended: no more improvement";
              case "CANCELLED" -> "stopped";
              default -> ending.reason();
            };
    page.append("<h1>Training report</h1><p class='lead'>")
        .append(escape(state))
        .append("</p>\n<ul class='figures'>");
    if (!run.steps.isEmpty()) {
      RunHistory.Step last = run.steps.get(run.steps.size() - 1);
      figure("%,d", last.step(), "steps of " + run.settings.getOrDefault("steps", "?"));
      String unit = preferences().isEmpty() ? "training, nats/token" : "training, nats/pair";
      figure("%.3f", smoothed(RunHistory.Step::loss)[run.steps.size() - 1], unit);
      figure("%,.0f", last.tokensPerSecond(), "tokens a second");
      figure("%s", time(last.seconds()), "time");
      if (!run.faults.isEmpty()) {
        figure("%,d", run.faults.size(), "steps skipped or rolled back");
      }
    }
    List<RunHistory.Preferences> preferences = preferences();
    if (!preferences.isEmpty()) {
      double accuracy = preferences.get(preferences.size() - 1).accuracy();
      figure("%.1f %%", 100 * accuracy, "of the pairs: the chosen answer is preferred");
    }
    if (ending != null) {
      figure("%.4f", ending.bitsPerByte(), "validation, bits/byte, best weights");
    } else if (!run.evaluations.isEmpty()) {
      RunHistory.Evaluated last = run.evaluations.get(run.evaluations.size() - 1);
      figure("%.4f", last.bitsPerByte(), "validation, bits/byte");
    }
    page.append("</ul>\n");
  }

  private void figure(String format, Object value, String unit) {
    page.append("<li><b>")
        .append(escape(String.format(Locale.ROOT, format, value)))
        .append("</b><span>")
        .append(escape(unit))
        .append("</span></li>");
  }

  private void charts() {
    double[] x = run.steps.stream().mapToDouble(RunHistory.Step::step).toArray();
    List<RunHistory.Preferences> preferences = preferences();
    boolean ofPairs = !preferences.isEmpty();
    double[] at = run.evaluations.stream().mapToDouble(RunHistory.Evaluated::step).toArray();
    double[] measured =
        ofPairs
            ? values(preferences, RunHistory.Preferences::loss)
            : values(run.evaluations, RunHistory.Evaluated::natsPerToken);
    LineChart loss =
        new LineChart(WIDE)
            .line("faint", false, x, values(RunHistory.Step::loss))
            .line("main", false, x, smoothed(RunHistory.Step::loss))
            .line("second", true, at, measured);
    page.append("<div class='grid2'><section class='card wide'><h2>Loss, nats a ")
        .append(ofPairs ? "pair" : "token")
        .append("</h2>")
        .append(loss.svg("training and validation loss over the steps"))
        .append("<p class='key'><i style='background:var(--main)'></i>training, smoothed")
        .append("<i style='background:var(--second)'></i>validation</p></section>\n");
    if (ofPairs) {
      chart(
          "Part of the pairs whose chosen answer is preferred",
          at,
          values(preferences, RunHistory.Preferences::accuracy));
      chart("Margin", at, values(preferences, RunHistory.Preferences::margin));
      chart(
          "Log-probability of chosen answers",
          at,
          values(preferences, RunHistory.Preferences::chosen));
      chart(
          "Log-probability of rejected answers",
          at,
          values(preferences, RunHistory.Preferences::rejected));
    }
    chart("Learning rate", x, values(RunHistory.Step::learningRate));
    chart("Gradient norm, before clipping", x, values(RunHistory.Step::gradientNorm));
    chart("Tokens a second", x, values(RunHistory.Step::tokensPerSecond));
    chart("Minutes", x, values(step -> step.seconds() / 60));
    page.append("</div>\n");
  }

  private void chart(String title, double[] x, double[] y) {
    page.append("<section class='card'><h2>")
        .append(escape(title))
        .append("</h2>")
        .append(new LineChart(NARROW).line("main", false, x, y).svg(title + " over the steps"))
        .append("</section>\n");
  }

  private double[] values(ToDoubleFunction<RunHistory.Step> value) {
    return values(run.steps, value);
  }

  private static <T> double[] values(List<T> all, ToDoubleFunction<T> value) {
    return all.stream().mapToDouble(value).toArray();
  }

  /** Those of all evaluations, or none. */
  private List<RunHistory.Preferences> preferences() {
    return run.evaluations.stream()
        .map(RunHistory.Evaluated::preferences)
        .filter(Objects::nonNull)
        .toList();
  }

  /** Means of the last few values, a fiftieth of the run. */
  private double[] smoothed(ToDoubleFunction<RunHistory.Step> value) {
    double[] values = values(value);
    int width = Math.max(1, values.length / SMOOTHED_PARTS);
    double[] means = new double[values.length];
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += values[i] - (i >= width ? values[i - width] : 0);
      means[i] = sum / Math.min(width, i + 1);
    }
    return means;
  }

  private void faults() {
    if (run.faults.isEmpty()) {
      return;
    }
    page.append("<section class='card' style='margin-top:1rem'><h2>Steps not done as planned</h2>");
    page.append("<table>");
    for (RunHistory.Fault fault : run.faults) {
      row(fault.action().toLowerCase(Locale.ROOT).replace('_', ' '), fault.text());
    }
    page.append("</table></section>\n");
  }

  private void samples() {
    List<RunHistory.Sample> samples = run.samples;
    if (samples.isEmpty()) {
      return;
    }
    page.append("<section class='card' style='margin-top:1rem'><h2>What it wrote</h2>")
        .append("<p class='key'>Text of a machine in training: nothing in it is a fact.</p>");
    for (int i = samples.size() - 1; i >= 0; i--) {
      RunHistory.Sample sample = samples.get(i);
      page.append(String.format(Locale.ROOT, "<div class='sample'><b>step %,d</b>", sample.step()))
          .append("<pre>")
          .append(escape(sample.text()))
          .append("</pre></div>");
    }
    page.append("</section>\n");
  }

  private void settings() {
    page.append("<section class='card' style='margin-top:1rem'><h2>Configuration</h2><table>");
    for (Map.Entry<String, String> setting : run.settings.entrySet()) {
      row(setting.getKey(), setting.getValue());
    }
    page.append("</table></section>\n");
  }

  private void row(String name, String value) {
    page.append("<tr><td>")
        .append(escape(name))
        .append("</td><td>")
        .append(escape(value))
        .append("</td></tr>");
  }

  private static String time(double seconds) {
    long whole = Math.round(seconds);
    return whole < 3600
        ? String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
  }

  /** Text as HTML, in attributes too. */
  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("'", "&#39;")
        .replace("\"", "&quot;");
  }
}
