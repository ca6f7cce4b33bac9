"""Whether each guarantee has its section in docs/verification, and names tests that there are. A part of tidy.py."""

import pathlib
import re
import sys

from documents import ITEM, lines_of_prose

INDEX = "docs/verification.md"
FOLDER = "docs/verification/"
# In this order, each with an answer.
LABELS = ["Statement", "Assumes", "Breaks when", "Tests", "Tool and bound", "Not covered"]
NO_ANSWER = {"", "-", "none", "nothing", "n/a", "no", "tbd", "later", "unknown"}
TABLE = ["promise", "tests", "tool and bound", "not covered"]


class Section:
    """What stands under one guarantee."""

    def __init__(self, line, name):
        self.line = line
        self.name = name
        self.labels = []
        self.answers = {}


class Verification:
    def __init__(self, tidy):
        self.tidy = tidy

    def check(self, documents):
        described = {}
        for path in self.tidy.files:
            if not path.startswith(FOLDER) or not path.endswith(".md"):
                continue
            crate = path.removeprefix(FOLDER).removesuffix(".md")
            if crate not in self.tidy.members:
                self.tidy.report("guarantee-section", path, 1, f"no member is called {crate}")
                continue
            described[crate] = self.sections(path)
            for section in described[crate]:
                self.section(path, crate, section, documents)
            self.table(path, crate)
        for crate, folder in self.tidy.members.items():
            self.pages(crate, folder, described.get(crate, []))
        self.index(described)

    # The sections.

    def sections(self, path):
        found, inside, label = [], False, None
        for number, line in lines_of_prose(self.tidy.text(path)):
            if line.startswith("#"):
                inside = (inside or line == "## Guarantees") and (line == "## Guarantees" or line.startswith("### "))
                label = None
                if inside and line.startswith("### "):
                    found.append(Section(number, line[4:].strip().replace("`", "")))
                continue
            if not inside or not found:
                continue
            named = re.match(r"\*\*([A-Z][^*]*)\*\*:(.*)", line)
            if named:
                label = named.group(1)
                found[-1].labels.append(label)
                found[-1].answers[label] = [named.group(2)]
            elif label:
                found[-1].answers[label].append(line)
        return found

    def section(self, path, crate, section, documents):
        if section.labels != LABELS:
            what = f"{section.name} has {', '.join(section.labels) or 'nothing'}, in place of {', '.join(LABELS)}"
            self.tidy.report("guarantee-section", path, section.line, what)
        for label in section.labels:
            answer = " ".join(section.answers[label])
            if re.sub(r"[\s.]+", " ", answer).strip(" -*").lower() in NO_ANSWER:
                self.tidy.report("guarantee-section", path, section.line, f"{section.name}: {label} says nothing")
            elif label == "Tests":
                self.tests(path, section.line, crate, answer)
            else:
                for span in re.findall(r"`([^`]+)`", answer):
                    name = span.removesuffix("()")
                    if re.fullmatch(ITEM, name) and not documents.exists(name):
                        self.tidy.report("named-item", path, section.line, f"{section.name}: nothing is called {name}")

    def tests(self, path, line, crate, text):
        names = re.findall(r"`([^`]+)`", text)
        if not names:
            self.tidy.report("named-test", path, line, "no test is named")
        for test in names:
            if not self.exists(crate, test):
                self.tidy.report("named-test", path, line, f"no test {test} in {crate}")

    def exists(self, crate, test):
        """A test of this crate, or of the member whose name stands before it: `tour::outcome::it_ends_well`."""
        if self.tidy.test_exists(self.tidy.members[crate], test):
            return True
        other, _, inside = test.partition("::")
        return "/" not in test and other in self.tidy.members and self.tidy.test_exists(self.tidy.members[other], inside)

    # The lesser promises, one a row.

    def table(self, path, crate):
        inside = False
        for number, line in lines_of_prose(self.tidy.text(path)):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] if line.startswith("|") else []
            if [cell.lower() for cell in cells] == TABLE:
                inside = True
            elif not cells:
                inside = False
            elif not inside or len(cells) != len(TABLE):
                self.tidy.report("guarantee-section", path, number, f"a row has {', '.join(TABLE)}")
            elif not re.fullmatch(r":?-+:?", cells[0]):
                self.tests(path, number, crate, cells[1])
                for cell, column in zip(cells, TABLE):
                    if cell.lower() in NO_ANSWER:
                        self.tidy.report("guarantee-section", path, number, f"{cells[0]}: {column} says nothing")

    # The pages that promise.

    def pages(self, crate, folder, sections):
        promised = set()
        for path in self.tidy.files:
            if path != f"{folder}/README.md" and not (path.startswith(f"{folder}/src/") and path.endswith(".rs")):
                continue
            for number, name, is_kept in guarantees(self.tidy.text(path)):
                promised.add(name)
                if is_kept and not any(section.name == name for section in sections):
                    where = f"{FOLDER}{crate}.md"
                    self.tidy.report("guarantee-section", path, number, f"{name} has no section in {where}")
        for at, section in enumerate(sections):
            where = f"{FOLDER}{crate}.md"
            if section.name not in promised:
                self.tidy.report("guarantee-section", where, section.line, f"no page of {crate} promises {section.name}")
            if any(other.name == section.name for other in sections[:at]):
                self.tidy.report("guarantee-section", where, section.line, f"{section.name} has two sections")

    # The index.

    def index(self, described):
        listed = {}
        text = self.tidy.text(INDEX) if INDEX in self.tidy.files else ""
        for number, line in lines_of_prose(text):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] if line.startswith("|") else []
            if [cell.lower() for cell in cells[:3]] == ["crate", "guarantee", "tests"]:
                self.tidy.report("guarantee-index", INDEX, number, f"rows of tests stand in {FOLDER}CRATE.md")
            link = re.fullmatch(r"\[([^\]]+)\]\(verification/([\w-]+)\.md#[^)]+\)", cells[1]) if len(cells) == 3 else None
            if link:
                listed[link.group(2), link.group(1).replace("`", "")] = number
                if cells[0].strip("`") != link.group(2) or cells[2].lower() in NO_ANSWER:
                    self.tidy.report("guarantee-index", INDEX, number, "a row has crate, guarantee, and what it says")
        for crate, sections in described.items():
            if f"(verification/{crate}.md" not in text:
                self.tidy.report("guarantee-index", INDEX, 1, f"nothing leads to {FOLDER}{crate}.md")
            for section in sections:
                if (crate, section.name) not in listed:
                    what = f"{section.name} of {crate} is not in {INDEX}"
                    self.tidy.report("guarantee-index", f"{FOLDER}{crate}.md", section.line, what)
        there = {(crate, section.name) for crate, sections in described.items() for section in sections}
        for (crate, name), number in listed.items():
            if (crate, name) not in there:
                self.tidy.report("guarantee-index", INDEX, number, f"{crate} has no section {name}")


def guarantees(text):
    """The bold names under each heading `Guarantees`, with the type that it is the page of, if it is one's; and whether
    it is promised: what is followed by "No." needs no section, but may have one."""
    waiting, mark = [], None
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        heading = re.match(r" *(//[!/]|)\s*#+ (.*)", line)
        if heading:
            mark = heading.group(1) if heading.group(2).strip() == "Guarantees" else None
            continue
        if mark is None:
            continue
        if mark and not line.lstrip().startswith(mark):
            mark = None
            continue
        bold = re.match(r" *(?://[!/])? *[-*|] *\*\*(.+?)[.:]?\*\*[\s.:,;|-]*([Nn]o[.;])?", line)
        if bold:
            waiting.append((number, bold.group(1), bold.group(2) is None, mark))
    for number, name, is_kept, mark in waiting:
        if mark == "///":
            below = re.search(r"^ *pub (?:struct|enum|trait|type|fn) (\w+)", "\n".join(lines[number:]), re.MULTILINE)
            name = f"{below.group(1)}: {name}" if below else name
        yield number, name, is_kept


if __name__ == "__main__":
    sys.exit("run tidy.sh")
