package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.checkpoint.GgufType;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.Preference;
import dev.spatz.dataset.Preferences;
import dev.spatz.dataset.TokenSequence;
import dev.spatz.dataset.TrainingSource;
import dev.spatz.generation.Conversation;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.Pooling;
import dev.spatz.generation.RankBy;
import dev.spatz.generation.TextStream;
import dev.spatz.tokenizer.Message;
import dev.spatz.training.Cancellation;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.TransformerConfig;
import dev.spatz.transformer.WeightedAdapter;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is asked of models, streams, conversations and data sets that are closed. */
class ClosedModelTest {
  private static final String TEXT = "der spatz in der hand ist besser als die taube. ".repeat(400);
  private static final Corpus CORPUS = Corpus.of(List.of(TEXT));
  private static final Conversations CONVERSATIONS =
      Conversations.of(
          List.of(
              dev.spatz.dataset.Conversation.of("was", "spatz"),
              dev.spatz.dataset.Conversation.of("wer", "taube")));
  private static final Preferences PREFERENCES =
      Preferences.of(
          List.of(Preference.of("was", "spatz", "dach"), Preference.of("wer", "taube", "dach")));
  private static final GenerationConfig SHORT =
      GenerationConfig.defaults().withMaxNewTokens(5).withSeed(1).withStopAtEndOfText(false);

  /** What needs no memory off the heap goes on. */
  private static final Set<String> HARMLESS =
      Set.of(
          "chatTemplate",
          "close",
          "config",
          "conversation",
          "engineStatistics",
          "generationDefaults",
          "provenance",
          "tokenizer");

  /** These only read and write files; they are tried by hand. */
  private static final Set<String> OF_ADAPTERS = Set.of("loadAdapter", "saveAdapter");

  @TempDir Path directory;
  private LanguageModel model;
  private LoraAdapter adapter;

  private static TrainingConfig config() {
    return TrainingConfig.defaults()
        .withModel(TransformerConfig.llama(300, 128, 1, 2, 16))
        .withSteps(1)
        .withThreads(1);
  }

  @BeforeEach
  void train() throws IOException {
    model = LanguageModel.train(CORPUS, config());
    adapter =
        LanguageModel.fineTuneAdapter(
            model,
            CORPUS,
            TrainingConfig.defaults().withSteps(1).withThreads(1),
            LoraConfig.defaults(),
            TrainingListener.NONE,
            new Cancellation());
  }

  /** A value for a parameter; a method with a parameter of another type needs one here. */
  private Object argument(Class<?> type) throws IOException {
    Path text = directory.resolve("text.txt");
    Files.writeString(text, TEXT);
    Consumer<String> consumer = piece -> {};
    Map<Class<?>, Object> arguments =
        Map.ofEntries(
            Map.entry(LanguageModel.class, model),
            Map.entry(Path.class, text),
            Map.entry(String.class, "spatz"),
            Map.entry(GenerationConfig.class, SHORT),
            Map.entry(Consumer.class, consumer),
            Map.entry(List.class, List.of("spatz", "taube")),
            Map.entry(Message[].class, new Message[0]),
            Map.entry(GgufType.class, GgufType.F32),
            Map.entry(RankBy.class, RankBy.SUM),
            Map.entry(Pooling.class, Pooling.MEAN),
            Map.entry(Corpus.class, CORPUS),
            Map.entry(LoraConfig.class, LoraConfig.defaults()),
            Map.entry(LoraAdapter.class, adapter),
            Map.entry(WeightedAdapter[].class, new WeightedAdapter[] {adapter.weighted(1)}),
            Map.entry(TrainingConfig.class, TrainingConfig.defaults().withSteps(1)),
            Map.entry(TrainingListener.class, TrainingListener.NONE),
            Map.entry(Cancellation.class, new Cancellation()),
            Map.entry(ResumeConfig.class, ResumeConfig.defaults()),
            Map.entry(Preferences.class, PREFERENCES));
    Object argument = arguments.get(type);
    assertNotNull(argument, "no value for a parameter of type " + type);
    return argument;
  }

  private void assertRefuses(Method method) throws Exception {
    List<Class<?>> types = List.of(method.getParameterTypes());
    Object[] arguments = new Object[types.size()];
    for (int i = 0; i < arguments.length; i++) {
      boolean source = types.get(i) == TrainingSource.class;
      arguments[i] = source ? CORPUS : argument(types.get(i));
    }
    assertRefuses(method, arguments);
    if (types.contains(TrainingSource.class)) {
      for (TrainingSource source : List.of(CONVERSATIONS, PREFERENCES)) {
        arguments[types.indexOf(TrainingSource.class)] = source;
        assertRefuses(method, arguments);
      }
    }
  }

  private void assertRefuses(Method method, Object[] arguments) throws Exception {
    if (HARMLESS.contains(method.getName())) {
      method.invoke(model, arguments);
      return;
    }
    InvocationTargetException e =
        assertThrows(
            InvocationTargetException.class,
            () -> method.invoke(model, arguments),
            method.toString());
    assertEquals(IllegalStateException.class, e.getCause().getClass(), method.toString());
    assertEquals("the model is closed", e.getCause().getMessage(), method.toString());
  }

  @Test
  void closedModel_refusesWhatNeedsIt() throws Exception {
    model.generate("spatz", SHORT);
    model.close();
    model.close();
    int tried = 0;
    for (Method method : LanguageModel.class.getDeclaredMethods()) {
      boolean ofModel =
          !Modifier.isStatic(method.getModifiers())
              || Arrays.asList(method.getParameterTypes()).contains(LanguageModel.class);
      boolean asked = ofModel && !OF_ADAPTERS.contains(method.getName());
      if (Modifier.isPublic(method.getModifiers()) && asked) {
        assertRefuses(method);
        tried++;
      }
    }
    assertTrue(tried > 20, tried + " methods");
  }

  @Test
  void adapterOfAClosedModel_isSavedAndLoaded() throws IOException {
    model.close();
    Path saved = directory.resolve("adapter");
    model.saveAdapter(adapter, saved);
    assertEquals(adapter.config().rank(), model.loadAdapter(saved).config().rank());
  }

  @Test
  void streamOfAClosedModel_endsWithAnException() {
    TextStream stream = model.stream("spatz", SHORT.withMaxNewTokens(50));
    Iterator<String> pieces = stream.iterator();
    model.close();
    assertThrows(
        IllegalStateException.class,
        () -> {
          while (pieces.hasNext()) { // what was written before is still there
            pieces.next();
          }
          throw new IllegalStateException("it was written to its end before the model was closed");
        });
    stream.close();
    stream.close();
  }

  @Test
  void closedStream_hasEnded() {
    TextStream stream = model.stream("spatz", SHORT);
    stream.close();
    stream.close();
    assertEquals(List.of(), List.copyOf(pieces(stream)));
    Generation result = stream.result();
    assertTrue(result.newTokens() <= 5);
    model.close();
  }

  private static List<String> pieces(TextStream stream) {
    List<String> pieces = new ArrayList<>();
    stream.forEach(pieces::add);
    return pieces;
  }

  @Test
  void conversationWithAClosedModel_isRefused_andStaysAsItWas() {
    Conversation conversation = model.conversation();
    model.close();
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> conversation.say("was"));
    assertEquals("the model is closed", e.getMessage());
    assertThrows(
        IllegalStateException.class, () -> conversation.fork().say("was", SHORT, piece -> {}));
    assertThrows(IllegalStateException.class, () -> conversation.forgettingOldest().say("was"));
    assertEquals(List.of(), conversation.messages());
  }

  @Test
  void closedDataset_refusesToBeRead() throws IOException {
    Dataset data = Dataset.prepare(CORPUS, model.tokenizer(), DatasetOptions.defaults());
    model.close();
    String digest = data.digest();
    data.close();
    data.close();
    int[] ids = new int[64];
    for (TokenSequence part : List.of(data.train(), data.validation())) {
      assertThrows(IllegalStateException.class, () -> part.read(0, ids, 0, 2));
      assertThrows(IllegalStateException.class, part::textBytes);
      assertThrows(IllegalStateException.class, () -> part.textBytes(0, 2));
      assertThrows(IllegalStateException.class, () -> part.windows(8).sample(0, ids, ids, 0));
      assertThrows(IllegalStateException.class, () -> part.windows(8).read(0, ids, ids, 0));
      assertThrows(IllegalStateException.class, () -> part.windows(8).textBytes(0, 0));
    }
    assertThrows(IllegalStateException.class, data::textBytes);
    assertEquals(digest, data.digest());
    assertTrue(data.trainTokens() > data.validationTokens());
    data.requireWindows(8);
  }
}
