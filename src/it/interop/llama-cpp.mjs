// llama.cpp, by node-llama-cpp's prebuilt binaries, as the judge of exported GGUF files.
// Usage: node llama-cpp.mjs DIRECTORY, which Models.java has written.
// F32 files must give the same greedy tokens; F16 and Q8_0 files must load and agree in the most.
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
  maxThreads: 2,
  logLevel: LlamaLogLevel.warn,
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

let faults = 0;
console.log("model | type | prompts with our ids | greedy tokens as ours | verdict");
for (const [kind, items] of Object.entries(expected)) {
  for (const type of ["F32", "F16", "Q8_0"]) {
    const model = await llama.loadModel({modelPath: path.join(directory, `${kind}.${type}.gguf`)});
    const context = await model.createContext({
      contextSize: 256,
      sequences: 1,
      flashAttention: false,
      experimentalKvCacheKeyType: "F32",
      experimentalKvCacheValueType: "F32",
    });
    let sameIds = 0, same = 0, all = 0, excused = 0;
    for (const item of items) {
      const ids = [...model.tokenize(item.prompt)];
      sameIds += JSON.stringify(ids) === JSON.stringify(item.promptIds) ? 1 : 0;
      const tokens = await continuation(context, item.promptIds, item.tokens.length);
      let agreed = 0;
      while (agreed < tokens.length && tokens[agreed] === item.tokens[agreed]) agreed++;
      if (agreed < item.tokens.length && item.gaps[agreed] <= CLOSE) excused += item.tokens.length - agreed;
      same += agreed;
      all += item.tokens.length;
    }
    const exact = same + excused === all;
    const good = sameIds === items.length && (type !== "F32" || exact);
    faults += good ? 0 : 1;
    const note = excused > 0 ? ` (${excused} after a near tie)` : "";
    console.log(`${kind} | ${type} | ${sameIds}/${items.length} | ${same}/${all}${note} | ${good ? "passed" : "FAILED"}`);
    await context.dispose();
    await model.dispose();
  }
}
process.exit(faults === 0 ? 0 : 1);
