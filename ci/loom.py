"""Holds what the interleaving tests explored against the table in docs/memory-model.md.

    loom.py CRATE LOG            one line for each test; fails where the table says anything else
    loom.py --record CRATE LOG   writes the crate's rows

The log is of `cargo test CRATE --lib loom_tests::`. How much there is to explore depends on the code alone, so a number that
has changed says that the code did, or a test.
"""

import collections
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "memory-model.md"
HEAD = ["| crate | test | bound | models | executions |", "|---|---|---|---|---|"]


def explored(crate, log):
    """The rows of a crate, as its tests have printed them."""
    # Without those that are to panic: they are about `explore`, which then has nothing to say.
    tests = re.findall(r"^test (\S+) \.\.\.", log, re.MULTILINE)
    models = collections.defaultdict(list)
    for test, executions, bound in re.findall(r"^explored (\S+): (\d+) executions, (.+)$", log, re.MULTILINE):
        models[test].append((int(executions), bound))
    silent = [test for test in tests if not models[test]]
    if silent or not tests:
        sys.exit(f"loom.py: {crate}: no word of what was explored by {silent or 'any test'}")
    rows = []
    for test in sorted(tests):
        bounds = sorted({bound for _, bound in models[test]})
        total = sum(executions for executions, _ in models[test])
        rows.append([f"`{crate}`", f"`{test}`", ", ".join(bounds), str(len(models[test])), str(total)])
    return rows


def table(lines):
    """Where the rows of the table begin and end."""
    if HEAD[0] not in lines:
        sys.exit(f"loom.py: no table of interleaving tests in {PAGE.name}")
    start = lines.index(HEAD[0]) + len(HEAD)
    end = next((at for at in range(start, len(lines)) if not lines[at].startswith("|")), len(lines))
    return start, end


def main(arguments):
    record = arguments[0] == "--record"
    crate, log = arguments[1:] if record else arguments
    rows = explored(crate, pathlib.Path(log).read_text(errors="replace"))
    for _, test, bound, models, executions in rows:
        print(f"{executions:>8} executions  {models} x {bound:14}  {test.strip('`')}")
    lines = PAGE.read_text().splitlines()
    start, end = table(lines)
    written = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[start:end]]
    others = [row for row in written if row[0] != f"`{crate}`"]
    if record:
        lines[start:end] = ["| " + " | ".join(row) + " |" for row in sorted(others + rows, key=lambda row: row[:2])]
        PAGE.write_text("\n".join(lines) + "\n")
        return
    known = {row[1]: row for row in written if row[0] == f"`{crate}`"}
    found = {row[1]: row for row in rows}
    wrong = sorted(test for test in known.keys() | found.keys() if known.get(test) != found.get(test))
    for test in wrong:
        print(f"{PAGE.name} says {known.get(test)}, explored was {found.get(test)}")
    if wrong:
        sys.exit(f"loom.py: {crate}: if that is meant, ci/loom.sh --record {crate}")


if __name__ == "__main__":
    main(sys.argv[1:])
