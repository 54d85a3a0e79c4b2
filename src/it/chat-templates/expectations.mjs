// @huggingface/jinja as the judge of chat templates: what each template in a directory makes of each
// conversation in its conversations.json, with and without the beginning of the next turn.
// Usage: node expectations.mjs DIRECTORY > expected.json
import {readFileSync, readdirSync} from "node:fs";
import path from "node:path";
import {Template} from "@huggingface/jinja";

const directory = process.argv[2];
const conversations = JSON.parse(readFileSync(path.join(directory, "conversations.json"), "utf8"));
const tools = JSON.parse(readFileSync(path.join(directory, "tools.json"), "utf8"));

function rendered(template, variables) {
  try {
    return {text: template.render({bos_token: "<s>", eos_token: "</s>", ...variables})};
  } catch (error) {
    return {error: error.message}; // what the template itself raises
  }
}

const expected = {};
for (const file of readdirSync(directory).filter((name) => name.endsWith(".jinja")).sort()) {
  const template = new Template(readFileSync(path.join(directory, file), "utf8"));
  expected[file] = {};
  for (const [name, messages] of Object.entries(conversations)) {
    expected[file][name] = {
      whole: rendered(template, {messages, add_generation_prompt: false}),
      prompt: rendered(template, {messages, add_generation_prompt: true}),
      withTools: rendered(template, {messages, tools, add_generation_prompt: true}),
    };
  }
}
console.log(JSON.stringify(expected, null, 1));
