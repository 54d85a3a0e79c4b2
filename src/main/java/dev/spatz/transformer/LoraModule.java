package dev.spatz.transformer;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One matrix (O,I) of a block that an adapter can change: some rows of a linear map, which computes
 * several such matrices at once.
 *
 * @param layer of the block, from 0
 * @param target its role
 * @param firstRow its first row in the linear map, and so its first column in the map's result
 * @param inputs I
 * @param outputs O
 */
public record LoraModule(int layer, LoraTarget target, int firstRow, int inputs, int outputs) {

  /** All such matrices of a model, layer by layer. */
  public static List<LoraModule> of(TransformerConfig model) {
    int channels = model.channels();
    int attended = model.heads() * model.headSize();
    int shared = model.keyValueHeads() * model.headSize();
    int width = model.feedForward();
    List<LoraModule> modules = new ArrayList<>();
    for (int i = 0; i < model.layers(); i++) {
      for (LoraTarget target : LoraTarget.of(model)) {
        modules.add(
            switch (target) {
              case QUERY -> new LoraModule(i, target, 0, channels, attended);
              case KEY -> new LoraModule(i, target, attended, channels, shared);
              case VALUE -> new LoraModule(i, target, attended + shared, channels, shared);
              case QUERY_KEY_VALUE -> new LoraModule(i, target, 0, channels, attended + 2 * shared);
              case OUTPUT -> new LoraModule(i, target, 0, attended, channels);
              case GATE -> new LoraModule(i, target, 0, channels, width);
              case UP -> new LoraModule(i, target, model.gated() ? width : 0, channels, width);
              case DOWN -> new LoraModule(i, target, 0, width, channels);
            });
      }
    }
    return modules;
  }

  /** The name of the linear map. */
  String map() {
    return ParameterLayout.layer(
        layer,
        switch (target) {
          case QUERY, KEY, VALUE, QUERY_KEY_VALUE -> ParameterLayout.QKV;
          case OUTPUT -> ParameterLayout.PROJECTION;
          case GATE, UP -> ParameterLayout.UP;
          case DOWN -> ParameterLayout.DOWN;
        });
  }

  /** The name of the parameter A (r,I) of an adapter. */
  public String a() {
    return ParameterLayout.layer(layer, target.name().toLowerCase(Locale.ROOT) + ".a");
  }

  /** The name of the parameter B (O,r) of an adapter. */
  public String b() {
    return ParameterLayout.layer(layer, target.name().toLowerCase(Locale.ROOT) + ".b");
  }
}
