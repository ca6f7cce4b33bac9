#!/usr/bin/env python3
"""What a user pays to build each crate with its default features, beside the peers: seconds, and crates in the lock file.

    benches/build-cost.py [--once]

Writes report/build-cost.jsonl in the folder of the build, where the report finds it. Each is built optimised from nothing,
in an empty program that depends on it alone; what has to be downloaded is so beforehand. The fastest of three counts, or
the only one with --once. The peers have the versions of the workspace's lock file.
"""

import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
# Their folders.
OURS = ["hlc", "lamport", "vector-clock", "high-water", "epoch-fence", "adapters/hlc-tower"]
PEERS = ["uhlc", "hlc-gen", "crdts", "vclock", "yrs", "ulid", "uuid", "parking_lot"]


def locked(name):
    """The latest version in the lock file: of parking_lot there are two."""
    found = re.findall(rf'^name = "{name}"\nversion = "(.*)"$', (ROOT / "Cargo.lock").read_text(), re.M)
    return max(found, key=lambda version: [int(part) for part in re.findall(r"\d+", version)])


def cargo(folder, *arguments):
    environment = {**os.environ, "CARGO_TARGET_DIR": str(folder / "target")}
    environment.pop("RUSTFLAGS", None)
    done = subprocess.run(["cargo", *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(done.stdout.decode() + f"build-cost: cargo {' '.join(arguments)} failed")


def processor_seconds():
    """Of all children so far: what a build takes however busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(name, ours, rounds):
    with tempfile.TemporaryDirectory(prefix="build-cost-") as folder:
        folder = pathlib.Path(folder)
        if ours:
            version, source, name = "", f'path = "{ROOT / name}"', pathlib.PurePath(name).name
        else:
            version = locked(name)
            source = f'version = "={version}"'
        features = ', features = ["v7"]' if name == "uuid" else ""
        (folder / "src").mkdir()
        (folder / "src/main.rs").write_text("fn main() {}\n")
        (folder / "Cargo.toml").write_text(
            f'[package]\nname = "user"\nversion = "0.0.0"\nedition = "2024"\n\n'
            f"[dependencies]\n{name} = {{ {source}{features} }}\n\n[workspace]\n"
        )
        cargo(folder, "fetch")
        # What is compiled on this machine: a lock file names what other systems need as well.
        tree = subprocess.run(
            ["cargo", "tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"],
            cwd=folder, stdout=subprocess.PIPE, check=True, text=True,
        ).stdout
        crates = {" ".join(line.split()[:2]) for line in tree.splitlines() if line.strip()}
        seconds, processor = [], []
        for _ in range(rounds):
            shutil.rmtree(folder / "target", ignore_errors=True)
            began, before = time.monotonic(), processor_seconds()
            cargo(folder, "build", "--release", "--offline")
            seconds.append(time.monotonic() - began)
            processor.append(processor_seconds() - before)
    return {
        "name": name,
        "version": version,
        "ours": ours,
        # Beside the program itself and the crate that it names.
        "dependencies": len(crates) - 2,
        "seconds": round(min(seconds), 2),
        "processor_seconds": round(min(processor), 2),
    }


def main():
    rounds = 1 if sys.argv[1:] == ["--once"] else 3
    lines = []
    for name in OURS + PEERS:
        row = measure(name, name in OURS, rounds)
        print(f"{row['name']} {row['version']}: {row['dependencies']} dependencies, {row['seconds']} s, {row['processor_seconds']} s of a processor", flush=True)
        lines.append(json.dumps(row))
    (TARGET / "report").mkdir(parents=True, exist_ok=True)
    (TARGET / "report/build-cost.jsonl").write_text("\n".join(lines) + "\n")


main()
