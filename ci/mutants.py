"""Tells the score of a run of cargo-mutants, and the changes that no test noticed.

    mutants.py FOLDER LIST    the folder mutants.out of the run, and a file with all changes of the crate as --list has them

A change that no test noticed has its reason in docs/mutants.md, or is printed and makes the exit status 1; so is an entry there of
which there is no change. The text of an entry is the change as cargo-mutants names it, without line and column; one entry stands
for every place in that file with that name.
"""

import json
import pathlib
import sys

from reasons import listed

LEAST = 95


def change_of(name):
    """The file and the change, of `file:line:column: change`."""
    file, _, _, change = name.split(":", 3)
    return file, change.strip()


def outcomes(folder):
    """What became of each change, by cargo-mutants' own word."""
    for outcome in json.loads((folder / "outcomes.json").read_text())["outcomes"]:
        if outcome["scenario"] != "Baseline":
            yield outcome["scenario"]["Mutant"]["name"], outcome["summary"]


def main():
    folder, everything = map(pathlib.Path, sys.argv[1:])
    known, survivors = set(listed("mutants.md")), []
    counts = dict.fromkeys(("CaughtMutant", "Timeout", "MissedMutant", "Unviable"), 0)
    for name, summary in outcomes(folder):
        counts[summary] += 1
        if summary == "MissedMutant" and change_of(name) not in known:
            survivors.append(name)
    # What never ends is noticed: a test that hangs fails.
    noticed = counts["CaughtMutant"] + counts["Timeout"]
    viable = noticed + counts["MissedMutant"]
    if not viable:
        sys.exit("mutants.py: no change was tried that compiles")
    share = 100 * noticed / viable
    print(f"{viable} viable, {noticed} noticed ({share:.1f} %), {counts['Unviable']} do not compile")
    print(*survivors, sep="\n")
    there = set(map(change_of, everything.read_text().splitlines()))
    sources = {file.split("/src/")[0] for file, _ in there}
    stale = [entry for entry in known if entry[0].split("/src/")[0] in sources and entry not in there]
    for file, change in sorted(stale):
        print(f"docs/mutants.md: {file}: there is no change `{change}`")
    sys.exit(1 if survivors or stale or share < LEAST else 0)


if __name__ == "__main__":
    main()
