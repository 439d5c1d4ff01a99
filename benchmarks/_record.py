"""Records of benchmarks: every figure as JSON, and what is said of them as Markdown."""

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def read(name, folder=RESULTS):
    """What was measured before; nothing yet is an empty record."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write(name, record, markdown, folder=RESULTS):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    (folder / f"{name}.md").write_text(markdown(record))
