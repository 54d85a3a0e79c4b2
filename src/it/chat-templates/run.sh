#!/bin/bash
# Lets npm's @huggingface/jinja render the chat templates that JinjaChatTest reads, and compares what it
# makes of them with expected.json beside them; with --write it writes that file anew.
#
# Usage: src/it/chat-templates/run.sh [--write]
# Needs npm (node 20 or later); the package comes from the configured npm registry. The exit code is 0 if
# nothing differs. With Jinja2 for Python at hand, original.py says whether the original agrees.
set -eu
cd "$(dirname "$0")/../../.."
templates=$PWD/src/test/resources/dev/spatz/tokenizer/chat
sources=$PWD/src/it/chat-templates
out=$PWD/target/chat-templates
command -v npm > /dev/null || { echo "there is no npm"; exit 2; }
mkdir -p "$out"
cp "$sources/package.json" "$sources/expectations.mjs" "$out"
(cd "$out" && { [ -d node_modules/@huggingface/jinja ] || npm install --silent --no-package-lock; } &&
  node expectations.mjs "$templates" > expected.json)
if [ "${1:-}" = --write ]; then
  cp "$out/expected.json" "$templates/expected.json"
elif diff "$templates/expected.json" "$out/expected.json"; then
  echo "@huggingface/jinja: all as expected"
else
  echo "@huggingface/jinja differs, see above"
  exit 1
fi
if python3 -c "import jinja2" 2> /dev/null; then
  python3 "$sources/original.py" "$templates"
fi
