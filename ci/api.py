"""Holds the public items of the published crates to those of the Rust API guidelines that a program can see.

    api.py FOLDER     with rustdoc's JSON of each published crate, all features (ci/api.sh makes it)

What is not as the guidelines have it is an exception in docs/api-guidelines.md: each there is real, and each real one is there. So
it is with the crates of other people whose types and traits are in an interface.
"""

import json
import pathlib
import re
import sys

from packages import ROOT, members

PAGE = "docs/api-guidelines.md"
HEAD = ["crate", "item", "guideline", "why"]
PUBLIC_DEPENDENCIES = ["crate", "other people's crates in its interface"]


class Crate:
    """The items that a user can name, each under its shortest path."""

    def __init__(self, name, path):
        self.name = name
        self.document = document = json.loads(path.read_text())
        self.index = document["index"]
        self.items = {}
        self.module(self.index[str(document["root"])], "")

    def item(self, number):
        return self.index.get(str(number))

    def module(self, module, path):
        for number in module["inner"]["module"]["items"]:
            item = self.item(number)
            if item and item["visibility"] == "public":
                self.enter(number, item, path)

    def enter(self, number, item, path):
        kind = next(iter(item["inner"]))
        if kind == "use":
            use = item["inner"]["use"]
            target = self.item(use["id"]) if use["id"] is not None else None
            if target is None:
                return
            if use["is_glob"]:
                self.module(target, path)
            else:
                self.enter(use["id"], {**target, "name": use["name"]}, path)
        elif kind == "module":
            self.module(item, f"{path}{item['name']}::")
        else:
            known = self.items.get(number)
            if known is None or len(path) < len(known[0]) - len(item["name"]):
                self.items[number] = (f"{path}{item['name']}", kind, item)

    def impls(self, item, kind):
        for number in item["inner"][kind]["impls"]:
            found = self.item(number)
            if found:
                yield found["inner"]["impl"]

    def traits(self, item, kind):
        """What a type implements itself or by its parts; not what every type does."""
        return {
            found["trait"]["path"].rsplit("::", 1)[-1]
            for found in self.impls(item, kind)
            if found["trait"] and not found["is_negative"] and found["blanket_impl"] is None
        }

    def methods(self, item, kind):
        for found in self.impls(item, kind):
            if found["trait"] is None:
                for number in found["items"]:
                    method = self.item(number)
                    if method and method["visibility"] == "public" and "function" in method["inner"]:
                        yield method

    def public_dependencies(self, family):
        """The crates whose types and traits are in a signature or implemented, but for the language's and the family's."""
        crates = {int(number): crate["name"] for number, crate in self.document["external_crates"].items()}
        found, rest = set(), []
        for _, kind, item in self.items.values():
            if kind in ("struct", "enum", "union"):
                rest += [method["inner"] for method in self.methods(item, kind)]
                rest += [{"trait": found["trait"]} for found in self.impls(item, kind)
                         if found["trait"] and found["blanket_impl"] is None]
            elif kind in ("function", "trait", "type_alias", "constant"):
                rest.append(item["inner"])
        while rest:
            part = rest.pop()
            if isinstance(part, dict):
                rest.extend(part.values())
                for name in ("resolved_path", "trait"):
                    named = part.get(name)
                    if isinstance(named, dict) and "id" in named:
                        place = self.document["paths"].get(str(named["id"]))
                        if place and place["crate_id"] != 0:
                            found.add(crates[place["crate_id"]])
            elif isinstance(part, list):
                rest.extend(part)
        return found - {"core", "alloc", "std"} - {name.replace("-", "_") for name in family}

    def into_iterator_by_reference(self, item, kind):
        for found in self.impls(item, kind):
            if found["trait"] and found["trait"]["path"].endswith("IntoIterator") and "borrowed_ref" in found["for"]:
                return True
        return False


def code_of(documentation):
    """The lines of Rust in the examples of an item."""
    rust = fenced = False
    for line in (documentation or "").splitlines():
        fence = re.match(r"\s*```(.*)", line)
        if fence:
            fenced = not fenced
            rust = fenced and not re.match(r"(?:text|sh|toml|console|sql|http)\b", fence.group(1))
        elif rust:
            yield line


def findings(crate):
    """`(item, guideline, what)` for each that is not as it should be."""
    for path, kind, item in crate.items.values():
        yield from unwraps(path, item)
        if kind == "function":
            yield from failures(crate, path, item)
            yield from decided_by_a_bool(path, item)
        if kind not in ("struct", "enum", "union"):
            continue
        traits = crate.traits(item, kind)
        error = "Error" in traits
        if "Debug" not in traits:
            yield path, "C-DEBUG", "no Debug"
        for marker in ("Send", "Sync"):
            if marker not in traits:
                yield path, "C-SEND-SYNC", f"not {marker}"
        if "PartialEq" in traits and "Eq" not in traits:
            yield path, "C-COMMON-TRAITS", "PartialEq and not Eq"
        if "Eq" in traits and "Hash" not in traits and not error:
            yield path, "C-COMMON-TRAITS", "Eq and not Hash"
        if path.endswith("Error") and not error:
            yield path, "C-GOOD-ERR", "called an error, and not Error"
        if error and not {"Debug", "Display"} <= traits:
            yield path, "C-GOOD-ERR", "Error without Debug or Display"
        if "Deref" in traits:
            yield path, "C-DEREF", "Deref"
        if public_fields(crate, item, kind) and "non_exhaustive" not in str(item["attrs"]):
            yield path, "C-STRUCT-PRIVATE", "public fields, and no more can be added"
        for method in crate.methods(item, kind):
            name = f"{path}::{method['name']}"
            yield from unwraps(name, method)
            yield from failures(crate, name, method)
            yield from decided_by_a_bool(name, method)
            yield from conversion(name, method, "Copy" in traits)
            if "Deref" in traits and receiver(method) is not None:
                yield name, "C-SMART-PTR", "a method of a smart pointer"
            if method["name"] == "iter" and not crate.into_iterator_by_reference(item, kind):
                yield path, "C-ITER", "`iter` without IntoIterator for a reference"


def decided_by_a_bool(path, function):
    for name, argument in function["inner"]["function"]["sig"]["inputs"]:
        if argument == {"primitive": "bool"}:
            yield path, "C-CUSTOM-TYPE", f"{name} is a bool"


def unwraps(path, item):
    if any(re.search(r"\.(?:unwrap|expect)\(", line) for line in code_of(item["docs"])):
        yield path, "C-QUESTION-MARK", "an example unwraps"


def failures(crate, path, function):
    """What a function fails with is an error."""
    output = function["inner"]["function"]["sig"]["output"] or {}
    named = output.get("resolved_path")
    if not named or named["path"].rsplit("::", 1)[-1] != "Result":
        return
    arguments = (named["args"] or {}).get("angle_bracketed", {}).get("args", [])
    failure = arguments[1].get("type", {}) if len(arguments) > 1 else {}
    if "tuple" in failure or "primitive" in failure:
        yield path, "C-GOOD-ERR", "fails with what is no error"
    known = crate.item(failure["resolved_path"]["id"]) if "resolved_path" in failure else None
    if known:
        kind = next(iter(known["inner"]))
        if kind in ("struct", "enum") and "Error" not in crate.traits(known, kind):
            yield path, "C-GOOD-ERR", f"fails with {known['name']}, which is not Error"


def receiver(method):
    inputs = method["inner"]["function"]["sig"]["inputs"]
    return inputs[0][1] if inputs and inputs[0][0] == "self" else None


def conversion(path, method, copy):
    """`as_` and `to_` lend or copy, `into_` consumes, `from_` makes; a getter has no prefix."""
    by, name = receiver(method), method["name"]
    lent = by is not None and "borrowed_ref" in by
    if name.startswith("get_"):
        yield path, "C-GETTER", "get_"
    if name.startswith("from_") and by is not None:
        yield path, "C-CONV", "from_ with a receiver"
    if name.startswith(("as_", "to_")) and not (lent or (by is not None and copy)):
        yield path, "C-CONV", "takes what it converts"
    if name.startswith("into_") and (by is None or lent):
        yield path, "C-CONV", "into_ that does not consume"


def public_fields(crate, item, kind):
    shape = item["inner"][kind].get("kind") if kind == "struct" else None
    numbers = []
    if isinstance(shape, dict):
        numbers = shape["plain"]["fields"] if "plain" in shape else shape["tuple"]
    fields = [crate.item(number) for number in numbers if number is not None]
    return [field["name"] for field in fields if field and field["visibility"] == "public"]


def table(head):
    """The numbered rows of the table under these heads."""
    inside = False
    for number, line in enumerate((ROOT / PAGE).read_text().splitlines(), 1):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if cells == head:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not re.fullmatch(r":?-+:?", cells[0]):
            yield number, cells


def main(folder):
    wrong, found, items = 0, set(), 0
    exceptions = [(number, cells[0].strip("`"), cells[1].strip("`"), cells[2]) for number, cells in table(HEAD)]
    excepted = {row[1:] for row in exceptions}
    dependencies = {cells[0].strip("`"): set(re.findall(r"`([^`]+)`", cells[1])) for _, cells in table(PUBLIC_DEPENDENCIES)}
    published = [package["name"] for package in members() if package["publish"] != []]
    for name in published:
        crate = Crate(name, pathlib.Path(folder) / f"{name.replace('-', '_')}.json")
        if not crate.items:
            sys.exit(f"api.py: no public item of {name} was found")
        items += len(crate.items)
        for path, guideline, what in findings(crate):
            found.add((name, path, guideline))
            if (name, path, guideline) not in excepted:
                print(f"{name}: {path}: {guideline}: {what}")
                wrong += 1
        for other in crate.public_dependencies(published) ^ dependencies.get(name, set()):
            print(f"{name}: {other} is in its interface, or in the table of {PAGE}, and not in both")
            wrong += 1
    for number, *row in exceptions:
        if tuple(row) not in found:
            print(f"{PAGE}:{number}: {row[0]}, {row[1]} is no exception from {row[2]}, or is not there")
            wrong += 1
    print(f"-- {items} public items, {len(found)} exceptions from the guidelines, {wrong} findings that {PAGE} does not tell")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
