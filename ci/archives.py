"""Looks into the archives of the published crates, and unpacks them so that each builds and is tested alone.

    archives.py check FOLDER       what is in each archive is what belongs there; prints a line for each
    archives.py unpack FOLDER TO   unpacks each, and points it at the others in place of the public registry

Alone means: outside the workspace, from its own manifest and its own lock file, as whoever fetched it would. Only what the
archives need of each other comes from beside them, because the names on the public registry belong to other people.
"""

import fnmatch
import json
import pathlib
import posixpath
import re
import subprocess
import sys
import tarfile
import tomllib

from packages import ROOT, folder, members

# What cargo adds to an archive.
OF_CARGO = {".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml.orig"}
# What a crate may be made of. `*` crosses folders.
KINDS = ["Cargo.toml", "[A-Z]*.md", "LICENSE-*", "src/*.rs", "examples/*.rs", "sql/*.sql", "tests/vectors/*.txt"]
# The greatest archive is half of this: a recording or a binary that slips in shows.
MAX_KIB = 512
LINK = re.compile(r"\]\(([^)\s]+)\)")


class Archive:
    def __init__(self, package, at):
        self.name = package["name"]
        self.label = f"{package['name']}-{package['version']}"
        self.folder = folder(package)
        self.path = pathlib.Path(at) / f"{self.label}.crate"
        self.files = {}
        with tarfile.open(self.path) as archive:
            for member in archive:
                inside = member.name.removeprefix(f"{self.label}/")
                if not member.isfile() or inside == member.name or ".." in pathlib.PurePath(inside).parts:
                    sys.exit(f"{self.path.name}: {member.name} is no file below {self.label}")
                self.files[inside] = archive.extractfile(member).read()

    def text(self, name):
        return self.files[name].decode()

    def findings(self):
        sources = self.sources()
        for name in sorted(self.files.keys() - sources - OF_CARGO):
            yield f"{name} is in the archive, and not among the sources"
        for name in sorted(sources - self.files.keys()):
            if not name.startswith("tests/") or name.startswith("tests/vectors/"):
                yield f"{name} is not in the archive: `include` leaves it out"
        for name in sorted(self.files.keys() - OF_CARGO):
            if not any(fnmatch.fnmatchcase(name, kind) for kind in KINDS):
                yield f"{name} is of no kind that belongs into an archive"
        yield from self.links()
        kib = self.path.stat().st_size // 1024
        if kib > MAX_KIB:
            yield f"{kib} KiB; at most {MAX_KIB}"

    def sources(self):
        """What is in the crate's folder and not ignored."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.folder, stdout=subprocess.PIPE, check=True,
        ).stdout.decode()
        return {name for name in listed.split("\0") if name and (self.folder / name).is_file()}

    def links(self):
        """A link within the crate leads to a file of the archive, one out of it to a file of the repository."""
        for name, line, link in self.all_links():
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link.split("#")[0]))
            if name not in ("README.md", "CHANGELOG.md"):
                yield f"{name}:{line} links to {link}: beside a page of rustdoc there are no files"
            elif target.startswith("../"):
                if not (self.folder / target).exists():
                    yield f"{name}:{line} links to {link}, which is not in the repository"
            elif target not in self.files:
                yield f"{name}:{line} links to {link}, which is not in the archive"

    def all_links(self):
        """Those that lead to a file; the others are addresses, sections of the same page, pages and names of rustdoc."""
        for name in sorted(self.files):
            document = name.endswith(".md")
            if not document and not name.endswith(".rs"):
                continue
            for number, line in enumerate(self.text(name).splitlines(), 1):
                if document or re.match(r"\s*//[/!]", line):
                    for link in LINK.findall(line):
                        if re.match(r"[a-z]+:[^:]|#", link) or re.search(r"\.html(?:#|$)", link):
                            continue
                        if re.search(r"/|\.(?:md|rs|sql|txt|toml)(?:#|$)|LICENSE", link):
                            yield name, number, link

    def line(self):
        return f"{self.label}: {len(self.files)} files, {self.path.stat().st_size // 1024} KiB"


def check(archives):
    found = 0
    for archive in archives:
        for finding in archive.findings():
            print(f"{archive.label}: {finding}")
            found += 1
        print(f"-- {archive.line()}")
    return 1 if found else 0


def unpack(archives, to):
    with open(ROOT / "Cargo.toml", "rb") as file:
        profiles = tomllib.load(file).get("profile", {}).get("dev", {}).get("package", {})
    places = {archive.name: to / archive.label for archive in archives}
    for archive in archives:
        place = places[archive.name]
        for name, content in archive.files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        lock, siblings, locked = alone(archive, places)
        (place / "Cargo.lock").write_text(lock)
        config = ["[patch.crates-io]"]
        config += [f"{name} = {{ path = {json.dumps(str(places[name]))} }}" for name in siblings]
        # As in the workspace: tests that search are optimised.
        for name, profile in profiles.items():
            if name in locked:
                config += [f"[profile.dev.package.{name}]", *(f"{key} = {value}" for key, value in profile.items())]
        (place / ".cargo").mkdir()
        (place / ".cargo" / "config.toml").write_text("\n".join(config) + "\n")
        print(archive.name, place)


def alone(archive, places):
    """Its lock file with the siblings taken from beside it, their names, and all names in it."""
    head, *entries = archive.text("Cargo.lock").split("\n[[package]]\n")
    siblings, locked, kept = [], set(), [head]
    for entry in entries:
        name = re.match(r'name = "([^"]+)"', entry).group(1)
        locked.add(name)
        if name in places and name != archive.name:
            siblings.append(name)
            entry = re.sub(r"(?m)^(?:source|checksum) = .*\n", "", entry)
        kept.append(entry)
    return "\n[[package]]\n".join(kept), siblings, locked


def main(question, at, to=None):
    archives = [Archive(package, at) for package in members() if package["publish"] != []]
    match question:
        case "check":
            return check(archives)
        case "unpack":
            return unpack(archives, pathlib.Path(to))
        case _:
            sys.exit(f"archives.py: unknown question {question}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
