"""Whether the documents that describe the code tell what is there. A part of tidy.py."""

import hashlib
import pathlib
import re
import sys

MODEL = "docs/model.md"
OPERATIONS = "docs/operations.md"
MODEL_PARTS = ["State", "Transitions", "Invariants", "Assumptions", "Crash points", "Ordering", "Acknowledgement"]
# Walk through one example each: the first that they link to.
WALKS = [
    "docs/guard-a-resource.md",
    "docs/hlc-in-a-service.md",
    "docs/on-a-microcontroller.md",
    "docs/stamps-in-headers.md",
]
FROZEN = "ci/vectors.sha256"
# What names functions, errors and tests in prose; docs/verification has rules of its own.
DESCRIBING = [MODEL, OPERATIONS, "docs/threat-model.md", *WALKS]

# A path, a type or variant, a function or field of several words, a constant or variable of several words.
PATH = r"[A-Za-z_]\w*(?:::[A-Za-z_]\w*)+"
ITEM = rf"(?:{PATH}|[A-Z][A-Z0-9]*[a-z]\w*|[a-z][a-z0-9]*(?:_[a-z0-9]+)+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"
# A name of so many words is a sentence, and so a test.
WORDS_OF_A_SENTENCE = 5


def lines_of_prose(text):
    """Numbered lines outside of fenced blocks."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def anchors(text):
    """What the sections of a document are linked by."""
    found, seen = set(), {}
    for _, line in lines_of_prose(text):
        heading = re.match(r"#+ +(.*)", line)
        if heading:
            anchor = re.sub(r"[^\w\- ]", "", heading.group(1).strip().lower()).replace(" ", "-")
            # The second of one name is numbered from 1.
            found.add(f"{anchor}-{seen[anchor]}" if anchor in seen else anchor)
            seen[anchor] = seen.get(anchor, 0) + 1
    return found


class Documents:
    def __init__(self, tidy):
        self.tidy = tidy
        self.words = {}

    def check(self):
        for name in DESCRIBING:
            if name in self.tidy.files:
                self.names(name)
        if MODEL in self.tidy.files:
            self.parts()
        if OPERATIONS in self.tidy.files:
            self.counters()
        for name in self.tidy.files:
            if re.fullmatch(r"(?:docs/(?:verification/)?)?[^/]+\.md", name):
                self.links(name)
        for name in WALKS:
            if name in self.tidy.files:
                self.quotes(name)
        self.vectors()

    # Names.

    def names(self, document):
        for number, line in lines_of_prose(self.tidy.text(document)):
            for span in re.findall(r"`([^`]+)`", line):
                name = span.removesuffix("()")
                if re.fullmatch(ITEM, name) and not self.exists(name):
                    self.tidy.report("named-item", document, number, f"nothing is called {name}")

    def exists(self, name):
        *above, last = name.split("::")
        if last.islower() and last.count("_") + 1 >= WORDS_OF_A_SENTENCE:
            return any(self.tidy.test_exists(folder, name) for folder in self.tidy.members.values())
        if last.isupper():
            return any(re.search(rf"\b{last}\b", self.tidy.text(file)) for file in self.code_files())
        wanted = set(above) | {last}
        # A crate is named by its folder, and not in its own code.
        wanted -= {name.replace("-", "_") for name in self.tidy.members}
        return any(wanted <= self.words_of(file) for file in self.code_files())

    def code_files(self):
        return [name for name in self.tidy.files if name.endswith((".rs", ".sql"))]

    def words_of(self, file):
        """The words of a file's code, without comments and literals."""
        if file not in self.words:
            source = self.tidy.sources.get(file)
            code = source.code if source else re.sub(r"--[^\n]*", "", self.tidy.text(file))
            self.words[file] = set(re.findall(r"[A-Za-z_]\w*", code)) | {pathlib.Path(file).stem}
        return self.words[file]

    # The model.

    def parts(self):
        text = self.tidy.text(MODEL)
        for crate in self.tidy.published:
            section = re.search(rf"^## `{re.escape(crate)}`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
            if not section:
                self.tidy.report("model-parts", MODEL, 1, f"no section `{crate}`")
                continue
            line = text.count("\n", 0, section.start()) + 1
            found = re.findall(r"^###+ (.*)", section.group(1), re.MULTILINE)
            for part in MODEL_PARTS:
                if part not in found:
                    self.tidy.report("model-parts", MODEL, line, f"{crate} has no part {part}")

    # Counters.

    def counters(self):
        rows = self.counter_rows()
        shown = {}
        for crate, folder in self.tidy.published.items():
            for source in self.tidy.sources.values():
                if source.path.startswith(f"{folder}/src/"):
                    for snapshot, counter in snapshots(source):
                        shown[f"{crate.replace('-', '_')}::{snapshot}", counter] = source
        for (snapshot, counter), source in shown.items():
            if (snapshot, counter) not in rows:
                self.tidy.report("counter-row", source.path, 1, f"{snapshot}: {counter} has no row in {OPERATIONS}")
        for (snapshot, counter), number in rows.items():
            if (snapshot, counter) not in shown:
                self.tidy.report("counter-row", OPERATIONS, number, f"{snapshot} shows no {counter}")

    def counter_rows(self):
        """The first cells of the tables below a heading that names a snapshot."""
        rows, snapshot = {}, None
        for number, line in lines_of_prose(self.tidy.text(OPERATIONS)):
            if line.startswith("#"):
                named = re.fullmatch(r"#+ `(\w+::\w*Snapshot)`.*", line)
                snapshot = named.group(1) if named else None
            elif snapshot and line.startswith("|"):
                for counter in re.findall(r"`(\w+)`", line.split("|")[1]):
                    rows[snapshot, counter] = number
        return rows

    # Links.

    def links(self, document):
        for number, line in lines_of_prose(self.tidy.text(document)):
            for target, section in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", line):
                file = (pathlib.PurePosixPath(document).parent / target) if target else document
                file = pathlib.Path(self.tidy.root / file).resolve()
                name = str(file.relative_to(self.tidy.root)) if file.is_relative_to(self.tidy.root) else ""
                if not section:
                    if name not in self.tidy.files and not file.is_dir():
                        self.tidy.report("linked-section", document, number, f"there is no {target}")
                elif name not in self.tidy.files or section not in anchors(self.tidy.text(name)):
                    self.tidy.report("linked-section", document, number, f"no section {section} in {name or target}")

    # Quotations.

    def quotes(self, document):
        text = self.tidy.text(document)
        linked = re.search(r"\]\(\.\./([^)\s]+\.rs)\)", text)
        if not linked or linked.group(1) not in self.tidy.files:
            self.tidy.report("quoted-code", document, 1, "no example is linked to, or it is not there")
            return
        source = stripped(self.tidy.text(linked.group(1)))
        for block in re.finditer(r"^```rust\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            quoted = stripped(block.group(1))
            if not any(source[at : at + len(quoted)] == quoted for at in range(len(source))):
                line = text.count("\n", 0, block.start()) + 1
                self.tidy.report("quoted-code", document, line, f"this is not in {linked.group(1)}")

    # Golden vectors.

    def vectors(self):
        frozen, covered = {}, {}
        recorded = self.tidy.text(FROZEN).splitlines() if FROZEN in self.tidy.files else []
        for number, line in enumerate(recorded, 1):
            if line.startswith("#") or not line:
                continue
            digest, count, path = line.split()
            frozen[path, int(count)] = digest
            covered[path] = max(covered.get(path, 0), int(count))
            found = digest_of(self.tidy, path, int(count)) if path in self.tidy.files else None
            if found != digest:
                self.tidy.report("frozen-vectors", FROZEN, number, f"the first {count} lines of {path} have changed")
        for path in vector_files(self.tidy):
            lines = len(self.tidy.text(path).splitlines())
            if covered.get(path, 0) < lines:
                what = f"lines from {covered.get(path, 0) + 1} on are not frozen: python3 ci/tidy.py --freeze"
                self.tidy.report("frozen-vectors", path, lines, what)

    def freeze(self):
        """The lines that `FROZEN` lacks. What is there stays: that is what it is for."""
        recorded = self.tidy.text(FROZEN) if FROZEN in self.tidy.files else ""
        for path in vector_files(self.tidy):
            count = len(self.tidy.text(path).splitlines())
            line = f"{digest_of(self.tidy, path, count)} {count:4} {path}"
            if line not in recorded.splitlines():
                yield line


def stripped(text):
    return [line.strip() for line in text.splitlines()]


def vector_files(tidy):
    return [name for name in tidy.files if "/tests/vectors/" in name]


def digest_of(tidy, path, count):
    lines = tidy.text(path).splitlines(keepends=True)[:count]
    return hashlib.sha256("".join(lines).encode()).hexdigest() if len(lines) == count else None


def snapshots(source):
    """What each public snapshot of a file shows: its public fields, or its accessors where it has none."""
    for struct in re.finditer(r"\bpub struct (\w*Snapshot)\b[^{};]*\{(.*?)^ *\}", source.code, re.MULTILINE | re.DOTALL):
        name, body = struct.groups()
        if "$" in body:  # a macro: `field Count,` for each, where it is called
            called = source.code[struct.end() :]
            fields = re.findall(r"^    (\w+) \w+,$", called, re.MULTILINE)
        else:
            fields = re.findall(r"^ *pub (\w+):", body, re.MULTILINE)
        if not fields:
            fields = re.findall(r"\bpub const fn (\w+)\(&self\)", source.code)
        for field in fields:
            yield name, field


if __name__ == "__main__":
    sys.exit("run tidy.sh")
