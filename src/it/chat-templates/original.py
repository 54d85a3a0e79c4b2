"""Jinja2 for Python, the original, beside @huggingface/jinja: does it agree with expected.json?

Usage: python3 original.py DIRECTORY, of the templates. With transformers' settings: trim_blocks,
lstrip_blocks, tojson that escapes nothing for HTML, raise_exception, {% generation %}.
"""
import json
import pathlib
import sys

from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


class Raised(Exception):
    pass


def raise_exception(message):
    raise Raised(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    return made


def rendered(template, variables):
    try:
        return {"text": template.render(bos_token="<s>", eos_token="</s>", **variables)}
    except Raised as raised:
        return {"error": str(raised)}


def main(directory):
    jinja = environment()
    expected = json.loads((directory / "expected.json").read_text())
    conversations = json.loads((directory / "conversations.json").read_text())
    tools = json.loads((directory / "tools.json").read_text())
    different = 0
    for file, by_conversation in expected.items():
        template = jinja.from_string((directory / file).read_text())
        for name, wanted in by_conversation.items():
            messages = conversations[name]
            got = {
                "whole": rendered(template, {"messages": messages, "add_generation_prompt": False}),
                "prompt": rendered(template, {"messages": messages, "add_generation_prompt": True}),
                "withTools": rendered(
                    template, {"messages": messages, "tools": tools, "add_generation_prompt": True}),
            }
            for kind in wanted:
                if got[kind] != wanted[kind]:
                    different += 1
                    print(f"{file}, {name}, {kind}: {got[kind]}")
    print(f"Jinja2 for Python: {different} differ" if different else "Jinja2 for Python: all as expected")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
