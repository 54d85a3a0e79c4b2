// llama.cpp, by node-llama-cpp's prebuilt binaries, as the judge of exported GGUF files.
// Usage: node llama-cpp.mjs DIRECTORY, which Models.java has written.
// Texts must get our ids, and F32 files must give the same greedy tokens (with caches in F32);
// F16 and Q8_0 files must load and run: how far they agree is shown.
import {readFileSync} from "node:fs";
import path from "node:path";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const CLOSE = 0.02; // a difference counts unless our two best logits are as near as this
const directory = process.argv[2];
const expected = JSON.parse(readFileSync(path.join(directory, "expected.json"), "utf8"));
const llama = await getLlama({
  gpu: false,
  build: "never",
  skipDownload: true,
  maxThreads: 1, // of these small models, more only wait for each other
  logLevel: LlamaLogLevel.error,
});

async function continuation(context, ids, count) {
  const sequence = context.getSequence();
  const tokens = [];
  for await (const token of sequence.evaluate(ids, {temperature: 0, yieldEogToken: true})) {
    tokens.push(token);
    if (tokens.length === count) break;
  }
  sequence.dispose();
  return tokens;
}

async function judge(kind, {texts, continuations}, type) {
  const model = await llama.loadModel({modelPath: path.join(directory, `${kind}.${type}.gguf`)});
  const context = await model.createContext({
    contextSize: 256,
    sequences: 1,
    flashAttention: false,
    experimentalKvCacheKeyType: "F32",
    experimentalKvCacheValueType: "F32",
  });
  let sameIds = 0, same = 0, all = 0, excused = 0;
  for (const {text, ids} of texts) {
    const theirs = [...model.tokenize(text)];
    if (JSON.stringify(theirs) === JSON.stringify(ids)) sameIds++;
    else console.error(`${kind}: ${JSON.stringify(text)} is ${ids} here, ${theirs} there`);
  }
  for (const {prompt, tokens, gaps} of continuations) {
    const theirs = await continuation(context, prompt, tokens.length);
    let agreed = 0;
    while (agreed < theirs.length && theirs[agreed] === tokens[agreed]) agreed++;
    if (agreed < tokens.length && gaps[agreed] <= CLOSE) excused += tokens.length - agreed;
    same += agreed;
    all += tokens.length;
  }
  const good = sameIds === texts.length && (type !== "F32" || same + excused === all);
  const note = excused > 0 ? ` (${excused} after a near tie)` : "";
  console.log(`${kind} | ${type} | ${sameIds}/${texts.length} | ${same}/${all}${note} | ${good ? "passed" : "FAILED"}`);
  await context.dispose();
  await model.dispose();
  return good;
}

let faults = 0;
console.log("model | type | texts with our ids | greedy tokens as ours | verdict");
for (const [kind, items] of Object.entries(expected)) {
  for (const type of ["F32", "F16", "Q8_0"]) {
    try {
      faults += await judge(kind, items, type) ? 0 : 1;
    } catch (error) {
      faults++;
      console.log(`${kind} | ${type} | FAILED: ${error}`);
    }
  }
}
process.exit(faults === 0 ? 0 : 1);
