"""Tells the score of a run of cargo-mutants, and the changes that no test noticed.

    mutants.py FOLDER    the folder mutants.out of the run

A change that no test noticed has its reason in docs/mutants.md, or is printed and makes the exit status 1. An entry there is
"- `file` `change`: reason", with the change as cargo-mutants names it, without line and column; one entry stands for every
place in that file with that name.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
REASONS = ROOT / "docs" / "mutants.md"
ENTRY = re.compile(r"^- `(?P<file>[^`]+)` `(?P<change>[^`]+)`: \S")
LEAST = 95


def reasons():
    found = map(ENTRY.match, REASONS.read_text().splitlines())
    return {(entry["file"], entry["change"]) for entry in found if entry}


def outcomes(folder):
    """What became of each change, by cargo-mutants' own word."""
    for outcome in json.loads((folder / "outcomes.json").read_text())["outcomes"]:
        if outcome["scenario"] != "Baseline":
            yield outcome["scenario"]["Mutant"]["name"], outcome["summary"]


def main():
    known, survivors = reasons(), []
    counts = dict.fromkeys(("CaughtMutant", "Timeout", "MissedMutant", "Unviable"), 0)
    for name, summary in outcomes(pathlib.Path(sys.argv[1])):
        counts[summary] += 1
        file, _, _, change = name.split(":", 3)
        if summary == "MissedMutant" and (file, change.strip()) not in known:
            survivors.append(name)
    # What never ends is noticed: a test that hangs fails.
    noticed = counts["CaughtMutant"] + counts["Timeout"]
    viable = noticed + counts["MissedMutant"]
    share = 100 * noticed / viable if viable else 100
    print(f"{viable} viable, {noticed} noticed ({share:.1f} %), {counts['Unviable']} do not compile")
    print(*survivors, sep="\n")
    sys.exit(1 if survivors or share < LEAST else 0)


if __name__ == "__main__":
    main()
