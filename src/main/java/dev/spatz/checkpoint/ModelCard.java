package dev.spatz.checkpoint;

import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraModule;
import dev.spatz.transformer.TransformerConfig;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code README.md}, the model card: what the model is, where it comes from, and a warning.
 *
 * @see <a href="https://huggingface.co/docs/hub/model-cards">Model cards</a>
 */
final class ModelCard {
  private final StringBuilder text = new StringBuilder();

  private ModelCard() {}

  static String text(
      TransformerConfig shape, Tokenizer tokenizer, @Nullable Provenance provenance) {
    ModelCard card = new ModelCard();
    card.frontMatter(shape);
    card.warning();
    card.model(shape, tokenizer);
    card.provenance(provenance);
    return card.text.toString();
  }

  /** The card of an adapter for models of a shape. */
  static String ofAdapter(LoraAdapter adapter, TransformerConfig model) {
    ModelCard card = new ModelCard();
    card.text.append(
        """
        ---
        library_name: peft
        pipeline_tag: text-generation
        tags:
        - lora
        ---

        # A low-rank adapter of a small language model
        """);
    card.warning();
    card.heading("The adapter");
    card.row("Base model", ModelFormat.of(model.architecture()).modelType());
    card.row("Parameters", "%,d", adapter.parameterCount());
    card.row("Rank", "%d", adapter.config().rank());
    card.row("Alpha", "%s", adapter.config().alpha());
    card.row("Matrices", "%d", adapter.modules().size());
    card.row("Roles", "%s", adapter.modules().stream().map(LoraModule::target).distinct().toList());
    card.heading("Where it comes from");
    adapter.origin().forEach(card::row);
    return card.text.toString();
  }

  private void frontMatter(TransformerConfig shape) {
    text.append(
        String.format(
            Locale.ROOT,
            """
        ---
        library_name: spatz
        pipeline_tag: text-generation
        language: und
        tags:
        - text-generation
        - %s
        ---

        # A small language model
        """,
            ModelFormat.of(shape.architecture()).modelType()));
  }

  private void warning() {
    text.append(
        """

        **The text of this model is made by a machine. It can state falsehoods, in the tone of \
        facts, and it can repeat what was wrong or hurtful in its training data. Check what it \
        says before relying on it, and label its text as machine-made wherever people read it.**
        """);
  }

  private void model(TransformerConfig shape, Tokenizer tokenizer) {
    heading("The model");
    row("Architecture", ModelFormat.of(shape.architecture()).modelType());
    row("Parameters", "%,d", shape.parameterCount());
    row("Layers", "%d", shape.layers());
    row("Channels", "%d", shape.channels());
    row("Heads", "%d", shape.heads());
    row("Key/value heads", "%d", shape.keyValueHeads());
    row("Feed-forward width", "%d", shape.feedForward());
    row("Context", "%,d tokens", shape.contextLength());
    row("Vocabulary", "%,d tokens (%s)", tokenizer.vocabularySize(), kind(tokenizer));
    row("Language", "not recorded");
  }

  private static String kind(Tokenizer tokenizer) {
    if (tokenizer instanceof PipelineTokenizer pipeline) {
      return pipeline.kind();
    }
    return tokenizer instanceof CharacterTokenizer ? "characters" : "byte-level BPE";
  }

  private void provenance(@Nullable Provenance provenance) {
    if (provenance == null) {
      text.append("\n## Where it comes from\n\nNot recorded.\n");
      return;
    }
    heading("Where it comes from");
    row(
        "Training data",
        "%,d bytes, SHA-256 `%s`",
        provenance.dataBytes(),
        provenance.dataDigest());
    row("Training loss", measured(provenance.trainingLoss(), "nats per token"));
    row("Validation loss", measured(provenance.validationLoss(), "nats per token"));
    row("Validation loss", measured(provenance.validationBitsPerByte(), "bits per byte"));
    row("Seed", "%d", provenance.seed());
    row("Library", "spatz " + provenance.libraryVersion());
    row("Date", provenance.date().toString());
    if (!provenance.configuration().isEmpty()) {
      heading("Configuration of the training");
      for (Map.Entry<String, String> setting : provenance.configuration().entrySet()) {
        row(setting.getKey(), setting.getValue());
      }
    }
  }

  private static String measured(@Nullable Double value, String unit) {
    return value == null ? "not measured" : String.format(Locale.ROOT, "%.4f %s", value, unit);
  }

  private void heading(String title) {
    text.append("\n## ").append(title).append("\n\n| | |\n|---|---|\n");
  }

  private void row(String name, String format, Object value, Object... more) {
    Object[] arguments = new Object[more.length + 1];
    arguments[0] = value;
    System.arraycopy(more, 0, arguments, 1, more.length);
    row(name, String.format(Locale.ROOT, format, arguments));
  }

  private void row(String name, String value) {
    text.append("| ").append(cell(name)).append(" | ").append(cell(value)).append(" |\n");
  }

  /** A value in a table: on one line, and none of its characters ends the cell. */
  private static String cell(String value) {
    return value.replaceAll("\\R", " ").replace("|", "\\|");
  }
}
