// npm's @huggingface/tokenizers as the judge of ids. Usage: node huggingface.mjs DIRECTORY, of
// directories with a tokenizer.json and texts with the ids and decoded text that Spatz makes of them.
import {existsSync, readdirSync, readFileSync} from "node:fs";
import path from "node:path";
import {Tokenizer} from "@huggingface/tokenizers";

const directory = process.argv[2];
const read = (...names) => JSON.parse(readFileSync(path.join(directory, ...names), "utf8"));
let good = true;
console.log("kind | texts | same ids | same text again | verdict");
for (const kind of readdirSync(directory).sort()) {
  if (!existsSync(path.join(directory, kind, "expected.json"))) continue;
  const expected = read(kind, "expected.json");
  let sameIds = 0, sameText = 0, note = "";
  try {
    const tokenizer = new Tokenizer(read(kind, "tokenizer.json"), read(kind, "tokenizer_config.json"));
    for (const {text, ids, decoded, special} of expected) {
      const theirs = tokenizer.encode(text, {add_special_tokens: special}).ids;
      if (JSON.stringify(theirs) === JSON.stringify(ids)) sameIds++;
      else console.error(`${kind}: ${JSON.stringify(text)}\n  here  ${ids}\n  there ${theirs}`);
      const again = ids.length === 0 ? "" :
        tokenizer.decode(ids, {skip_special_tokens: true, clean_up_tokenization_spaces: false});
      if (again === decoded) sameText++;
      else console.error(`${kind}: ${JSON.stringify(text)}\n  here  ${JSON.stringify(decoded)}\n  there ${JSON.stringify(again)}`);
    }
  } catch (error) {
    note = ` (${error.message})`;
  }
  const passed = sameIds === expected.length && sameText === expected.length;
  good &&= passed;
  console.log(`${kind} | ${expected.length} | ${sameIds} | ${sameText} | ${passed ? "passed" : "FAILED"}${note}`);
}
process.exit(good ? 0 : 1);
