#!/bin/bash
# Lets other programs judge our files: trains small models, then has llama.cpp (by node-llama-cpp) generate
# from our GGUF exports, and Jlama from our saved llama directories, and compares the tokens with ours.
#
# Usage: src/it/interop/run.sh TEXT [STEPS]
# Needs Maven, npm, and for Jlama a JDK of version 21 or later, whose home is JLAMA_JAVA_HOME; without
# that, Jlama is left out, and this is said. Nothing is compiled but Java; packages come from the
# configured npm and Maven repositories. Results stay in target/interop.
set -eu
text=$(realpath "$1")
steps=${2:-300}
cd "$(dirname "$0")/../../.."
sources=$PWD/src/it/interop
out=$PWD/target/interop
mkdir -p "$out/node"

mvn -q -B compile dependency:build-classpath -Dmdep.outputFile="$out/classpath"
java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "target/classes:$(cat "$out/classpath")" \
  "$sources/Models.java" "$text" "$out/models" "$steps"

failed=0
echo "== llama.cpp"
cp "$sources/package.json" "$sources/llama-cpp.mjs" "$out/node"
case "$(uname -sm)" in # of the prebuilt binaries, this platform's alone
  "Linux x86_64") binary=linux-x64 ;;
  "Linux aarch64") binary=linux-arm64 ;;
  "Darwin arm64") binary=mac-arm64-metal ;;
  "Darwin x86_64") binary=mac-x64 ;;
  *) echo "no prebuilt llama.cpp for $(uname -sm)"; exit 1 ;;
esac
(cd "$out/node" && npm install --silent --ignore-scripts --omit=optional "@node-llama-cpp/$binary@3.22.1" && node llama-cpp.mjs "$out/models") || failed=1

echo "== Jlama"
if [ -x "${JLAMA_JAVA_HOME:-}/bin/java" ]; then
  mvn -q -B -f "$sources/jlama" dependency:build-classpath -Dmdep.outputFile="$out/jlama-classpath"
  "$JLAMA_JAVA_HOME/bin/java" --add-modules jdk.incubator.vector --enable-preview --source \
    "$("$JLAMA_JAVA_HOME/bin/java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')" \
    -cp "$(cat "$out/jlama-classpath")" "$sources/jlama/Jlama.java" "$out/models" || failed=1
else
  echo "left out: JLAMA_JAVA_HOME names no JDK"
fi
exit $failed
