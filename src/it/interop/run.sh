#!/bin/bash
# Lets other programs judge our files: makes small models of every kind, then has llama.cpp (by node-llama-cpp)
# read our GGUF exports, and Jlama our saved llama directories, and compares ids and greedy tokens with ours.
#
# Usage: src/it/interop/run.sh TEXT [STEPS [PRETRAINED_DIRECTORY…]]
#   TEXT     to train on; about a megabyte of English will do
#   STEPS    of each of the eleven trainings, 300 by default: about a minute each on two cores
# Needs Maven; npm (node 20 or later) for llama.cpp; a JDK of version 21 or later for Jlama, whose home is
# JLAMA_JAVA_HOME or else JAVA_HOME. A judge that cannot be had is left out, and this is said. Nothing is
# compiled but Java; packages come from the configured npm and Maven repositories. What was made stays in
# target/interop, and is not made again: after a run that was stopped, run it once more. The tables are in
# target/interop/*.txt. The exit code is 0 if every judge that was there passed every model.
set -eu
[ $# -ge 1 ] || { sed -n '2,15s/^# \?//p' "$0"; exit 2; }
text=$(realpath "$1")
steps=${2:-300}
pretrained=()
for directory in "${@:3}"; do pretrained+=("$(realpath "$directory")"); done
cd "$(dirname "$0")/../../.."
sources=$PWD/src/it/interop
out=$PWD/target/interop
mkdir -p "$out/node"
failed=0

echo "== models"
mvn -q -B compile dependency:build-classpath -Dmdep.outputFile="$out/classpath"
java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "target/classes:$(cat "$out/classpath")" \
  "$sources/Models.java" "$text" "$out/models" "$steps" ${pretrained[@]+"${pretrained[@]}"}

echo "== llama.cpp"
case "$(uname -sm)" in # of the prebuilt binaries, this platform's alone
  "Linux x86_64") binary=linux-x64 ;;
  "Linux aarch64") binary=linux-arm64 ;;
  "Darwin arm64") binary=mac-arm64-metal ;;
  "Darwin x86_64") binary=mac-x64 ;;
  *) binary= ;;
esac
if [ -z "$binary" ] || ! command -v npm > /dev/null; then
  echo "left out: there is no npm, or no prebuilt llama.cpp for $(uname -sm)"
else
  cp "$sources/package.json" "$sources/llama-cpp.mjs" "$out/node"
  version=$(sed -n 's/.*"node-llama-cpp": "\(.*\)".*/\1/p' "$sources/package.json")
  (cd "$out/node" &&
    { [ -d "node_modules/@node-llama-cpp/$binary" ] ||
      npm install --silent --no-save --ignore-scripts --omit=optional \
        "node-llama-cpp@$version" "@node-llama-cpp/$binary@$version"; } &&
    node llama-cpp.mjs "$out/models" | tee "$out/llama-cpp.txt"; exit "${PIPESTATUS[0]}") || failed=1
fi

echo "== Jlama"
java=${JLAMA_JAVA_HOME:-${JAVA_HOME:-}}/bin/java
release=0
[ -x "$java" ] && release=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
if [ "$release" -lt 21 ]; then
  echo "left out: neither JLAMA_JAVA_HOME nor JAVA_HOME names a JDK of version 21 or later"
else
  mvn -q -B -f "$sources/jlama" dependency:build-classpath -Dmdep.outputFile="$out/jlama-classpath"
  "$java" --add-modules jdk.incubator.vector --enable-preview --source "$release" \
    -cp "$(cat "$out/jlama-classpath")" "$sources/jlama/Jlama.java" "$out/models" 2> "$out/jlama.log" |
    tee "$out/jlama.txt"
  [ "${PIPESTATUS[0]}" -eq 0 ] || { failed=1; tail -n 20 "$out/jlama.log"; }
fi
exit $failed
