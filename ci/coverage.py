"""Reads what the tests ran from a report in lcov's form.

    coverage.py REPORT CRATE...    a figure for each crate, and the lines of it that nothing ran

Each line of a library that no test runs is either accounted for in docs/uncovered.md or printed, and then the exit
status is 1. The text of an entry there stands in the line, or in the head of the function that the line is in.

An entry that accounts for nothing is printed, and the exit status is 1 as well: its line is gone, or runs. Of one that is
by chance only the text has to be there: what takes two threads at one moment runs in one report and not in the next.
"""

import pathlib
import re
import subprocess
import sys

from reasons import listed

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOR_TESTS = re.compile(r"#\[cfg\((all\()?test\b")
HEAD = re.compile(r"^\s*(pub(\([a-z]+\))? )?(const |async |unsafe )*(fn|macro_rules!) ?\w+")


def read(report):
    """The lines of each file, with how often they ran."""
    files, lines = {}, None
    for row in pathlib.Path(report).read_text().splitlines():
        kind, _, rest = row.partition(":")
        if kind == "SF":
            lines = files.setdefault(pathlib.Path(rest), {})
        elif kind == "DA":
            number, count = rest.split(",")[:2]
            lines[int(number)] = lines.get(int(number), 0) + int(count)
    return files


def source_of(crate):
    command = [sys.executable, "ci/packages.py", "dir", crate]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return ROOT / done.stdout.strip() / "src"


def of_tests(path):
    """The lines that are compiled for tests alone, and the files that are."""
    inside, files, end, marked = set(), set(), None, False
    stem = path.parent if path.stem in {"lib", "main", "mod"} else path.with_suffix("")
    for number, line in enumerate(path.read_text().splitlines(), 1):
        stripped = line.strip()
        if end is not None:
            inside.add(number)
            end = None if line == end else end
        elif FOR_TESTS.match(stripped):
            marked = True
        elif marked and stripped.endswith("{"):
            end = line[: len(line) - len(line.lstrip())] + "}"
            inside.add(number)
            marked = False
        elif marked and (module := re.match(r"(?:pub )?mod (\w+);", stripped)):
            files |= {stem / f"{module[1]}.rs", stem / module[1] / "mod.rs"}
            marked = False
        elif not stripped.startswith("#["):
            marked = False
    return inside, files


def head_of(lines, number):
    """The head of the function around a line, or nothing."""
    own = len(lines[number - 1]) - len(lines[number - 1].lstrip())
    for line in reversed(lines[:number]):
        if HEAD.match(line) and len(line) - len(line.lstrip()) <= own:
            return line
    return ""


class Reasons:
    """What docs/uncovered.md accounts for."""

    def __init__(self):
        self.entries = listed("uncovered.md")
        self.used = set()

    def account_for(self, name, line, head):
        for entry in self.entries:
            if entry[0] == name and (entry[1] in line or entry[1] in head):
                self.used.add(entry)
                return True
        return False

    def stale(self, folders):
        for (name, text), by_chance in self.entries.items():
            if (name, text) in self.used or not name.startswith(folders):
                continue
            path = ROOT / name
            if not (by_chance and path.is_file() and text in path.read_text()):
                yield f"docs/uncovered.md: `{name}` `{text}` accounts for no line"


def look(crate, files, reasons):
    """The lines of a crate, those that ran, and those that did not and have no reason."""
    folder = source_of(crate)
    sources = sorted(folder.rglob("*.rs"))
    marks = {path: of_tests(path) for path in sources}
    for_tests = set().union(*(files for _, files in marks.values()))
    total, ran, open_lines = 0, 0, []
    for path in sources:
        if path in for_tests or path.name == "loom_tests.rs":
            continue
        lines, name = path.read_text().splitlines(), str(path.relative_to(ROOT))
        for number, count in sorted(files.get(path, {}).items()):
            if number in marks[path][0]:
                continue
            total += 1
            if count:
                ran += 1
            elif not reasons.account_for(name, lines[number - 1], head_of(lines, number)):
                open_lines.append(f"{name}:{number}: {lines[number - 1].strip()}")
    return total, ran, open_lines


def main():
    report, *crates = sys.argv[1:]
    files, reasons, everything = read(report), Reasons(), []
    print("| crate | lines | run by a test | without a test or a reason |\n|---|---|---|---|")
    for crate in crates:
        total, ran, open_lines = look(crate, files, reasons)
        if not total:
            sys.exit(f"coverage.py: the report has no line of {crate}")
        print(f"| `{crate}` | {total} | {ran} ({100 * ran / total:.1f} %) | {len(open_lines)} |")
        everything += open_lines
    print(*everything, sep="\n")
    folders = tuple(str(source_of(crate).relative_to(ROOT)) for crate in crates)
    stale = list(reasons.stale(folders))
    print(*stale, sep="\n")
    sys.exit(1 if everything or stale else 0)


if __name__ == "__main__":
    main()
