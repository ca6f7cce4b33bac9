"""The lists of what the tests leave out and why, docs/mutants.md and docs/uncovered.md: each entry is "- `file` `text`: reason",
or "- `file` `text`, by chance: reason" of what is left out in one run and not in the next."""

import pathlib
import re
import sys

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
ENTRY = re.compile(r"^- `([^`]+)` `([^`]+)`(, by chance)?: \S")


def listed(page):
    """The pairs of file and text, and of each whether it is by chance. A line of the list that is no entry would account for nothing in silence."""
    found = {}
    for number, line in enumerate((DOCS / page).read_text().splitlines(), 1):
        entry = ENTRY.match(line)
        if entry:
            found[entry[1], entry[2]] = bool(entry[3])
        elif line.startswith("- "):
            sys.exit(f"docs/{page}:{number}: not \"- `file` `text`: reason\"")
    return found
