"""Checks a list of parts (standard input) against CycloneDX's own schema."""

import json
import sys
from pathlib import Path

import fastjsonschema

# The package is only asked where its files are: what it would import is not installed.
schemas = next(Path(entry) / "cyclonedx/schema/_res" for entry in sys.path if (Path(entry) / "cyclonedx/schema/_res").is_dir())


def schema(name):
    return json.loads((schemas / name.rsplit("/")[-1]).read_text())


check = fastjsonschema.compile(
    schema("bom-1.5.SNAPSHOT.schema.json"),
    handlers={"http": schema},
    formats={"iri-reference": lambda _: True, "idn-email": lambda _: True},
)
check(json.load(sys.stdin))
