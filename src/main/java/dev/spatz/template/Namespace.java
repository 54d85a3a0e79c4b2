package dev.spatz.template;

import java.util.Map;

/** Values by name that can be set from everywhere. */
record Namespace(Map<String, Object> values) {}
