"""Whether each published crate says about itself what a registry and its users need. A part of tidy.py."""

import re
import subprocess
import tomllib

# Those that our crates are in, as crates.io spells them; a new one is looked up there before it is added here.
CATEGORIES = {
    "concurrency",
    "data-structures",
    "database",
    "date-and-time",
    "development-tools::debugging",
    "embedded",
    "filesystem",
    "network-programming",
    "no-std",
    "no-std::no-alloc",
    "web-programming",
}
# What crates.io takes: at most five of each.
MOST = 5
KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,19}")
# What `include` has to name, and the folder for which it is needed.
INCLUDED = {
    "src/**": "src",
    "examples/**": "examples",
    "sql/**": "sql",
    "tests/vectors/**": "tests/vectors",
    "*.md": "",
    "LICENSE-*": "",
}
SECTIONS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


class Manifests:
    def __init__(self, tidy):
        self.tidy = tidy

    def check(self, packages):
        """`packages`: those that are published, as cargo's metadata has them."""
        for package in packages:
            folder = self.tidy.members[package["name"]]
            path = f"{folder}/Cargo.toml"
            for what in self.metadata(package):
                self.tidy.report("published-metadata", path, 1, what)
            for what in self.included(folder, path):
                self.tidy.report("published-metadata", path, 1, what)
            changelog, readme = f"{folder}/CHANGELOG.md", f"{folder}/README.md"
            for line, what in self.changelog(package, changelog):
                self.tidy.report("changelog", changelog, line, what)
            for line, what in self.readme(package["name"], readme):
                self.tidy.report("readme", readme, line, what)

    def metadata(self, package):
        for key in ["description", "license", "readme", "rust_version", "authors", "keywords", "categories"]:
            if not package[key]:
                yield f"`{key.replace('_', '-')}` is missing"
        description = package["description"] or ""
        if description.endswith(".") or "\n" in description:
            yield "`description` is one line without a full stop"
        for key in ["keywords", "categories"]:
            values = package[key]
            if len(values) > MOST or len(set(values)) < len(values):
                yield f"`{key}`: at most {MOST}, each once"
        for keyword in package["keywords"]:
            if not KEYWORD.fullmatch(keyword):
                yield f"{keyword} cannot be a keyword"
        for category in package["categories"]:
            if category not in CATEGORIES:
                yield f"{category} is no category that ci/manifests.py knows"
        docs = ((package["metadata"] or {}).get("docs") or {}).get("rs") or {}
        if docs.get("all-features") is not True or docs.get("rustdoc-args") != ["--cfg", "docsrs"]:
            yield "`package.metadata.docs.rs` asks for all features and `--cfg docsrs`"

    def included(self, folder, path):
        include = tomllib.loads(self.tidy.text(path))["package"].get("include")
        if not include:  # published-files has reported that
            return
        for pattern, needed_for in INCLUDED.items():
            there = any(name.startswith(f"{folder}/{needed_for}".rstrip("/") + "/") for name in self.tidy.files)
            if there and pattern not in include:
                yield f"`include` leaves {pattern} out"
            if pattern in include and not there:
                yield f"`include` names {pattern}, and there is no such file"
        for pattern in include:
            if pattern not in INCLUDED:
                yield f"`include` names {pattern}, which belongs to no archive"

    def changelog(self, package, name):
        """What is not released first, then each release under its version and day, the newest first."""
        if name not in self.tidy.files:
            return
        headings = []
        for number, line in enumerate(self.tidy.text(name).splitlines(), 1):
            if line.startswith("## "):
                headings.append((number, line[3:]))
            elif line.startswith("### ") and line[4:] not in SECTIONS:
                yield number, f"{line[4:]} is no heading of Keep a Changelog"
        if not headings or headings[0][1] != "Unreleased":
            yield 1, "the first heading is `## Unreleased`"
            return
        versions = []
        for number, heading in headings[1:]:
            release = re.fullmatch(r"(\d+)\.(\d+)\.(\d+) - \d{4}-\d{2}-\d{2}", heading)
            if not release:
                yield number, f"{heading} is not `## VERSION - YYYY-MM-DD`"
                continue
            versions.append(tuple(int(part) for part in release.groups()))
        if versions != sorted(set(versions), reverse=True):
            yield 1, "releases are in order, the newest first"
        for tag in self.tags(package["name"]):
            if tuple(int(part) for part in tag.split(".")) not in versions:
                yield 1, f"{tag} was released, and has no heading"

    def tags(self, crate):
        """The versions that were released: tags `CRATE-vVERSION`."""
        listed = subprocess.run(
            ["git", "tag", "--list", f"{crate}-v*"], cwd=self.tidy.root, stdout=subprocess.PIPE, check=True,
        ).stdout.decode()
        prefix = re.escape(f"{crate}-v")
        return re.findall(rf"(?m)^{prefix}(\d+\.\d+\.\d+)$", listed)

    def readme(self, crate, name):
        """Its examples are run, and it tells a way to depend on the crate that leads to this one."""
        if name not in self.tidy.files:
            return
        if not any(self.includes(source, name) for source in self.tidy.sources.values()):
            yield 1, "no source has it as documentation under `cfg(doctest)`, so its examples do not run"
        text = self.tidy.text(name)
        if not text:  # published-files has reported that
            return
        if not re.search(rf"(?m)^{re.escape(crate)} = \{{[^}}\n]*\b(?:path|git) = \"", text):
            yield 1, f"it does not show {crate} as a dependency by path or by git"
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\bcargo add\b", line) or re.match(rf"{re.escape(crate)} = (?:\"|\{{ *version)", line):
                yield number, "the name on the public registry is not ours"

    def includes(self, source, readme):
        """Whether a file has the README as documentation of something that exists for doc tests alone."""
        text = "\n".join(source.lines)
        for place in re.finditer(r'#\[cfg\((?:doctest|all\(doctest\b[^\]]*)\)\]\s*#\[doc = include_str!\("([^"]+)"\)\]', text):
            at = (self.tidy.root / source.path).parent / place.group(1)
            if at.resolve() == (self.tidy.root / readme).resolve():
                return True
        return False
