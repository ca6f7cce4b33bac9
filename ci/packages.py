"""Answers the questions that the checks ask about the members, from cargo's own metadata.

    packages.py members            every member
    packages.py published          the members that a user can depend on
    packages.py crates             those of them that are no adapters
    packages.py loom               the members with interleaving tests
    packages.py loom-features NAME the features under which they run, joined by commas
    packages.py excluded           packages with a workspace of their own, if they are there
    packages.py feature-sets NAME  the sets that `--each-feature` does not try, one a line
    packages.py no-std NAME        the features that need neither std nor alloc, joined by commas
    packages.py dir NAME           the folder of a member

A member lists further feature sets that matter together in its Cargo.toml:

    [package.metadata.checks]
    feature-sets = [["serde", "uuid"]]
"""

import json
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def members():
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return sorted(json.loads(done.stdout)["packages"], key=lambda package: package["name"])


def folder(package):
    return pathlib.Path(package["manifest_path"]).parent


def has_loom_tests(package):
    return any("mod loom_tests" in path.read_text() for path in (folder(package) / "src").rglob("*.rs"))


def excluded():
    with open(ROOT / "Cargo.toml", "rb") as file:
        names = tomllib.load(file)["workspace"].get("exclude", [])
    return [name for name in names if (ROOT / name / "Cargo.toml").exists()]


def closure(features, name):
    """The feature and all it switches on, `dep:` and `crate/feature` entries included."""
    seen, rest = set(), [name]
    while rest:
        entry = rest.pop()
        if entry not in seen:
            seen.add(entry)
            rest.extend(features.get(entry, []))
    return seen


def feature_sets(package):
    """Each feature on top of the defaults, and the sets that the manifest lists."""
    features = package["features"]
    default = closure(features, "default") if "default" in features else set()
    for name in sorted(features):
        if default and name not in default:
            yield ",".join(["default", name])
    for names in ((package["metadata"] or {}).get("checks") or {}).get("feature-sets", []):
        unknown = [name for name in names if name not in features]
        if unknown:
            sys.exit(f"packages.py: {package['name']} lists a feature set with unknown {unknown}")
        yield ",".join(names)


def no_std_features(package):
    features = package["features"]
    return sorted(name for name in features if not closure(features, name) & {"default", "std", "alloc"})


def loom_features(package):
    """All but those on tokio, which is built otherwise where `loom` is set, and what only they need."""
    features = package["features"]
    return sorted(name for name in features if not closure(features, name) & {"dep:tokio", "dep:rustls"})


def main(question, name=None):
    if question == "excluded":
        answers = excluded()
    else:
        found = members()
        one = next((package for package in found if package["name"] == name), None)
        if name is not None and one is None:
            sys.exit(f"packages.py: no member is called {name}")
        match question:
            case "members":
                answers = [package["name"] for package in found]
            case "published":
                answers = [package["name"] for package in found if package["publish"] != []]
            case "crates":
                adapters = ROOT / "adapters"
                answers = [package["name"] for package in found
                           if package["publish"] != [] and adapters not in folder(package).parents]
            case "loom":
                answers = [package["name"] for package in found if has_loom_tests(package)]
            case "loom-features":
                answers = [",".join(loom_features(one))]
            case "feature-sets":
                answers = feature_sets(one)
            case "no-std":
                answers = [",".join(no_std_features(one))]
            case "dir":
                answers = [folder(one)]
            case _:
                sys.exit(f"packages.py: unknown question {question}")
    for answer in answers:
        print(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
