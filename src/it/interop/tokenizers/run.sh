#!/bin/bash
# Lets Hugging Face's two tokenizer libraries judge ours: writes a tokenizer.json of every kind, with the ids that
# texts get here, and compares them with those of DJL's tokenizers (Rust) and of npm's @huggingface/tokenizers.
# With texts it measures instead how fast they are encoded, beside jtokkit and DJL's tokenizers.
#
# Usage: src/it/interop/tokenizers/run.sh [speed TEXT…]
# Needs Maven, and npm (node 20 or later) for the second judge, which is left out without it. The vocabularies
# are those of jtokkit's jar. What was made stays in target/interop/tokenizers; the tables are in *.txt there,
# every difference in *.log. The exit code is 0 if every judge that was there passed every kind, but for those where
# npm's library is known to differ from the one in Rust: huggingface.mjs names the reason for each.
set -eu
texts=()
if [ $# -ge 2 ] && [ "$1" = speed ]; then
  for text in "${@:2}"; do texts+=("$(realpath "$text")"); done
elif [ $# -gt 0 ]; then
  sed -n '2,12s/^# \?//p' "$0"
  exit 2
fi
cd "$(dirname "$0")/../../../.."
sources=$PWD/src/it/interop/tokenizers
out=$PWD/target/interop/tokenizers
mkdir -p "$out/node"
failed=0

mvn -q -B test-compile dependency:build-classpath -Dmdep.outputFile="$out/classpath"
mvn -q -B -f "$sources" dependency:build-classpath -Dmdep.outputFile="$out/judges-classpath"
classes=target/test-classes:target/classes:$(cat "$out/classpath")
judges=$(cat "$out/judges-classpath")
export RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false OPT_OUT_TRACKING=true

if [ ${#texts[@]} -gt 0 ]; then
  java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$classes:$judges" "$sources/Speed.java" "$out/speed" \
    "${ROUNDS:-9}" "${texts[@]}" | tee "$out/speed.txt"
  exit 0
fi

java -cp "$classes" dev.spatz.checkpoint.TokenizerKinds "$out/kinds" > "$out/kinds.log"

echo "== DJL's tokenizers"
java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$classes:$judges" "$sources/HuggingFace.java" "$out/kinds" \
  2> "$out/djl.log" | tee "$out/djl.txt"
[ "${PIPESTATUS[0]}" -eq 0 ] || { failed=1; tail -n 20 "$out/djl.log"; }

echo "== npm's @huggingface/tokenizers"
if ! command -v npm > /dev/null; then
  echo "left out: there is no npm"
else
  cp "$sources/package.json" "$sources/huggingface.mjs" "$out/node"
  (cd "$out/node" && { [ -d node_modules/@huggingface/tokenizers ] || npm install --silent; } &&
    node huggingface.mjs "$out/kinds" 2> "$out/npm.log" | tee "$out/npm.txt"; exit "${PIPESTATUS[0]}") ||
    { failed=1; tail -n 20 "$out/npm.log"; }
fi
exit $failed
