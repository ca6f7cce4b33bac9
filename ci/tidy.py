"""The house rules that no lint knows. Run through tidy.sh; each rule is seen to fire in tidy-test.sh."""

import bisect
import json
import pathlib
import re
import subprocess
import sys
import tomllib

from documents import Documents
from manifests import Manifests
from verification import Verification

RULES = {
    "ordering-tag": "an atomic ordering in library code is named by an `// ORDERING:` comment above it",
    "ordering-import": "an ordering is written `Ordering::X` where it is used, so that it can be tagged",
    "seq-cst": "SeqCst is not used: the interleaving tests could not check it",
    "atomics-door": "atomics enter a published crate through its src/sync.rs",
    "counted-model": "an interleaving test goes through `explore`, which counts what it explored",
    "ascii": "Rust and TOML files are ASCII",
    "open-task": "an open task names its issue",
    "lints": "a member inherits the lint table",
    "length": "a source file has at most 600 lines",
    "reason": "a lint that is switched off says why",
    "ignored-test": "no test is ignored",
    "named-test": "a guarantee in docs/verification names tests, and each of them exists",
    "guarantee-section": "a guarantee on a page has its section in docs/verification, whole; and no other has one",
    "guarantee-index": "docs/verification.md lists every section, and each once",
    "named-item": "a Rust name in docs/model.md and its kind (ci/documents.py) exists",
    "quoted-code": "what a walk through an example quotes is in the example",
    "model-parts": "each published crate has all its parts in docs/model.md",
    "counter-row": "what a snapshot shows has its row in docs/operations.md, and no other has one",
    "linked-section": "a file, and a section of it, that a document links to exist",
    "frozen-vectors": "golden vectors are recorded in ci/vectors.sha256, and what was recorded has not changed",
    "machine-path": "no file names a path of one machine",
    "published-files": "a published crate has its documents, its licences and an `include`",
    "published-metadata": "a published crate's manifest has all that a registry shows, and its archive what belongs there",
    "changelog": "a changelog has what is not released first, then each release with its day",
    "readme": "the README of a published crate runs as a test, and shows a dependency by path or by git",
}
TAG_REACH = 12
MAX_LINES = 600
PUBLISHED_FILES = ["README.md", "CHANGELOG.md", "FORMAT.md", "LICENSE-APACHE", "LICENSE-MIT"]
EXPLORATION = "testing/src/exploration.rs"

# The variants of the atomic `Ordering`; the other one's are Less, Equal and Greater.
ORDERING = r"\b(Relaxed|Acquire|Release|AcqRel|SeqCst)\b"

# Comments, then strings, then characters; a lifetime is none of them.
TOKEN = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | \b(?:b|c)?r(\#*)".*?"\1
      | "(?:\\.|[^"\\])*"
      | '(?:\\(?:x..|u\{[^}]*\}|.)|[^'\\\n])'""",
    re.VERBOSE | re.DOTALL,
)


def blank(text):
    return re.sub(r"[^\n]", " ", text)


class Source:
    """A Rust file: its lines, and `code`, the same text with comments and literals blanked out."""

    def __init__(self, path, text):
        self.path = path
        self.lines = text.splitlines()
        self.code = TOKEN.sub(lambda token: blank(token.group()), text)
        self.starts = [0] + [at.end() for at in re.finditer("\n", text)]
        # Without the modules that exist for tests alone.
        self.library = self.code
        gate = r"#\[cfg\((?:test|all\(test\b[^\]]*)\)\]\s*(?:#\[[^\]]*\]\s*)*mod\s+\w+\s*(?=\{)"
        for module in re.finditer(gate, self.code):
            end = closing(self.code, module.end())
            inside = blank(self.code[module.start() : end])
            self.library = self.library[: module.start()] + inside + self.library[end:]

    def line(self, offset):
        return bisect.bisect_right(self.starts, offset)


def closing(text, opening):
    """The offset just after the bracket that closes the one at `opening`."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    depth = 0
    for at in range(opening, len(text)):
        if text[at] == text[opening]:
            depth += 1
        elif text[at] == pairs[text[opening]]:
            depth -= 1
            if depth == 0:
                return at + 1
    return len(text)


class Tidy:
    def __init__(self, root):
        self.root = root
        self.findings = []
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, stdout=subprocess.PIPE, check=True,
        ).stdout.decode()
        self.files = sorted(name for name in listed.split("\0") if name and (root / name).is_file())
        metadata = subprocess.run(
            ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"],
            cwd=root, stdout=subprocess.PIPE, check=True,
        ).stdout
        self.members = {}
        self.published = {}
        packages = json.loads(metadata)["packages"]
        self.published_packages = [package for package in packages if package["publish"] != []]
        for package in packages:
            folder = str(pathlib.Path(package["manifest_path"]).parent.relative_to(root))
            self.members[package["name"]] = folder
            if package["publish"] != []:
                self.published[package["name"]] = folder
        self.sources = {}
        for name in self.files:
            if name.endswith(".rs"):
                self.sources[name] = Source(name, (root / name).read_text(errors="replace"))

    def report(self, rule, path, line, what):
        assert rule in RULES
        self.findings.append((path, line, rule, what))

    def text(self, name):
        return (self.root / name).read_bytes().decode("utf-8", errors="replace")

    def run(self):
        for source in self.library_sources():
            self.orderings(source)
            self.door(source)
        for source in self.sources.values():
            self.attributes(source)
            self.models(source)
        for name in self.files:
            self.any_file(name)
        for name, folder in self.members.items():
            self.manifest(name, folder)
        Manifests(self).check(self.published_packages)
        documents = Documents(self)
        documents.check()
        Verification(self).check(documents)

    def library_sources(self):
        """What a published crate ships, without the files that hold only tests."""
        for name, source in self.sources.items():
            for folder in self.published.values():
                inside = name.removeprefix(f"{folder}/src/")
                if inside != name and not re.search(r"(^|_|/)tests(/|\.rs$)", inside):
                    yield source

    def orderings(self, source):
        for use in re.finditer(rf"Ordering\s*::\s*{ORDERING}", source.library):
            line, name = source.line(use.start()), use.group(1)
            if name == "SeqCst":
                self.report("seq-cst", source.path, line, "SeqCst")
                continue
            above = source.lines[max(0, line - 1 - TAG_REACH) : line]
            tags = [at for at, text in enumerate(above) if "// ORDERING:" in text]
            comment = " ".join(text[text.index("//") :] for text in above[tags[0] :] if "//" in text) if tags else ""
            if not re.search(rf"\b{name}\b", comment):
                self.report("ordering-tag", source.path, line, f"no `// ORDERING:` comment above speaks of {name}")
        imported = (
            rf"\buse\b[^;]*Ordering\s*::\s*(?:\{{[^}}]*)?{ORDERING}"
            r"|\bsync\b[^;]*\bOrdering\s*::\s*\*"
            r"|\bsync\b[^;]*\bOrdering\s+as\s+(?!\w*Ordering\b)"
        )
        for use in re.finditer(imported, source.library):
            self.report("ordering-import", source.path, source.line(use.start()), "an imported ordering")

    def door(self, source):
        if source.path.endswith("/src/sync.rs"):
            return
        door = r"\bsync\s*::\s*(?:\{[^;]*)?\batomic\b|\bportable_atomic\s*::"
        for use in re.finditer(door, source.library):
            self.report("atomics-door", source.path, source.line(use.start()), "atomics come from crate::sync")

    def models(self, source):
        if source.path == EXPLORATION:
            return
        for use in re.finditer(r"\bloom\s*::\s*(?:\{[^;]*)?\bmodel\b", source.code):
            self.report("counted-model", source.path, source.line(use.start()), f"`explore` of {EXPLORATION} counts")

    def attributes(self, source):
        for start in re.finditer(r"#!?\[", source.code):
            attribute = source.code[start.start() : closing(source.code, start.end() - 1)]
            for lint in re.finditer(r"\b(?:allow|expect)\s*(?=\()", attribute):
                inside = attribute[lint.end() : closing(attribute, lint.end())]
                if not re.search(r"\breason\s*=", inside):
                    self.report("reason", source.path, source.line(start.start()), "say why: reason = \"...\"")
            if re.match(r"#\[\s*ignore\b", attribute):
                self.report("ignored-test", source.path, source.line(start.start()), "an ignored test shows nothing")

    def any_file(self, name):
        suffix = pathlib.Path(name).suffix
        source = suffix in {".rs", ".toml", ".py", ".sh"}
        lines = self.text(name).splitlines()
        if suffix in {".rs", ".sh", ".py"} and len(lines) > MAX_LINES:
            self.report("length", name, len(lines), f"{len(lines)} lines; split at a noun")
        for number, line in enumerate(lines, 1):
            if suffix in {".rs", ".toml"} and not line.isascii():
                self.report("ascii", name, number, "a character outside ASCII")
            if source and re.search(r"\b(?:TO" r"DO|FIX" r"ME)\b(?!\(#\d+\))", line):
                self.report("open-task", name, number, "write (#number) behind it")
            if re.search(r"(?<![\w.$}\])])/(?:home/\w+|Users/\w+|root|tmp|work|mnt)(?:/|\b)", line):
                self.report("machine-path", name, number, line.strip())

    def manifest(self, name, folder):
        path = f"{folder}/Cargo.toml"
        manifest = tomllib.loads(self.text(path))
        if manifest.get("lints", {}).get("workspace") is not True:
            self.report("lints", path, 1, "[lints] workspace = true is missing")
        if name in self.published:
            for needed in PUBLISHED_FILES:
                file = self.root / folder / needed
                if not file.is_file() or file.stat().st_size == 0:
                    self.report("published-files", path, 1, f"{needed} is missing or empty")
            if not manifest["package"].get("include"):
                self.report("published-files", path, 1, "`include` is missing")

    def test_exists(self, folder, test):
        """`test`, `module::test`, `fuzz/target`, or the path of a file that is itself the check."""
        if "/" in test:
            target = test.removeprefix("fuzz/")
            return f"fuzz/fuzz_targets/{target}.rs" in self.files or test in self.files
        *modules, function = test.split("::")
        for name, source in self.sources.items():
            if not name.startswith(f"{folder}/"):
                continue
            if not re.search(rf"#\[(?:tokio::)?test\b[^\]]*\][^{{}};]*?\bfn\s+{re.escape(function)}\b", source.code):
                continue
            places = set(pathlib.Path(name).with_suffix("").parts) | set(re.findall(r"\bmod\s+(\w+)", source.code))
            if all(module in places for module in modules):
                return True
        return False


def main(argument):
    if argument == "--rules":
        for rule, what in RULES.items():
            print(f"{rule:16} {what}")
        return 0
    if argument == "--freeze":
        for line in Documents(Tidy(pathlib.Path.cwd())).freeze():
            print(line)
        return 0
    tidy = Tidy(pathlib.Path(argument).resolve())
    tidy.run()
    for path, line, rule, what in sorted(tidy.findings):
        print(f"{path}:{line}: {rule}: {what}")
    print(f"tidy: {len(tidy.findings)} findings in {len(tidy.files)} files")
    return 1 if tidy.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
