"""The lists of what the tests leave out and why, docs/mutants.md and docs/uncovered.md: each entry is "- `file` `text`: reason"."""

import pathlib
import re
import sys

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
ENTRY = re.compile(r"^- `([^`]+)` `([^`]+)`: \S")


def listed(page):
    """The pairs of file and text. A line of the list that is no entry would account for nothing in silence."""
    found = []
    for number, line in enumerate((DOCS / page).read_text().splitlines(), 1):
        entry = ENTRY.match(line)
        if entry:
            found.append((entry[1], entry[2]))
        elif line.startswith("- "):
            sys.exit(f"docs/{page}:{number}: not \"- `file` `text`: reason\"")
    return found
