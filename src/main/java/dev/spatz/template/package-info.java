/**
 * A template in the language Jinja, and values → text that remembers where its parts come from.
 *
 * <p>The part of Jinja 2.11 to 3.1 that chat templates are written in, with the settings that
 * transformers renders them with ({@code trim_blocks}, {@code lstrip_blocks}, no changes of
 * values). Written here, because no library for the JVM renders such templates: jinjava 2.8.4 does
 * not parse {@code messages[::-1]} nor {@code namespace(last=messages|length - 1)}, overlooks the
 * {@code if} of a loop in silence, and answers 52 of 99 expressions as Jinja does. A library also
 * gives strings, while the ids of a conversation depend on which of its characters are the
 * template's own. Templates come with models from anywhere: they reach nothing but the values that
 * they are given, and their work is bounded.
 *
 * @see <a href="https://jinja.palletsprojects.com/en/stable/templates/">Template Designer
 *     Documentation</a>
 */
@NullMarked
package dev.spatz.template;

import org.jspecify.annotations.NullMarked;
