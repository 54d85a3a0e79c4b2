"""Renders every template of expressions.json by Jinja2 for Python, the original, into the same file.

Usage: python3 expressions.py, from its folder; made with Jinja2 3.1.6. A pair is a template and what it
gives, or null where it is an error. The settings are those of src/it/chat-templates/original.py.
"""
import json
import pathlib
import sys

here = pathlib.Path(__file__).resolve().parent
sys.path.append(str(here.parents[5] / "src/it/chat-templates"))
from original import environment

MESSAGES = [{"role": "user", "content": " Hi "}, {"role": "assistant", "content": "Yo"}]


def rendered(template):
    try:
        return environment().from_string(template).render(messages=MESSAGES, bos_token="<s>")
    except Exception:
        return None


file = here / "expressions.json"
pairs = [[template, rendered(template)] for template, _ in json.loads(file.read_text())]
lines = ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in pairs)
file.write_text("[\n" + lines + "\n]\n")
