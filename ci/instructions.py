"""Compares the counts that gungraun left with those in benches/instructions.txt.

    instructions.py FOLDER             compare; see instructions.sh
    instructions.py FOLDER --record    write the file
"""

import itertools
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE = ROOT / "benches" / "instructions.txt"
CALLS = int(re.search(r"const CALLS: u32 = (\d+);", (ROOT / "benches/benches/instructions.rs").read_text()).group(1))
# In percent. A count below 20 moves by this with each instruction.
LIMIT = 5
HEAD = "# Instructions a call; `ci/instructions.sh --record` writes this file, and compares with it.\n"


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


def made_with():
    """All that may change a count while the code stays the same."""
    # The loader and memcmp choose by the processor, as the comparison of dense vectors does.
    flags = re.search(r"^flags\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    avx2 = "yes" if flags and "avx2" in flags.group(1).split() else "no"
    libc = output("ldd", "--version").splitlines()[0]
    return [*output("rustc", "-vV").splitlines(), output("valgrind", "--version"), libc, f"avx2: {avx2}"]


def counted(folder):
    counts = {}
    for path in sorted(pathlib.Path(folder).rglob("summary.json")):
        summary = json.loads(path.read_text())
        [profile] = summary["profiles"]
        total = profile["data"]["total"]["metrics"]["Ir"]["values"]["new"]
        counts[summary["id"]] = int(total) / CALLS
    return counts


def recorded():
    made, counts = [], {}
    for line in FILE.read_text().splitlines():
        if line.startswith("#   "):
            made.append(line[4:])
        elif line and not line.startswith("#"):
            name, count = line.split()
            counts[name] = float(count)
    return made, counts


def record(counts):
    made = "".join(f"#   {line}\n" for line in made_with())
    rows = "".join(f"{name:<28}{count:>10.2f}\n" for name, count in counts.items())
    FILE.write_text(f"{HEAD}# Made with:\n{made}{rows}")
    print(f"{len(counts)} paths recorded in {FILE.relative_to(ROOT)}")


def compare(counts):
    made, before = recorded()
    differs = [f"{old} / {new}" for old, new in itertools.zip_longest(made, made_with()) if old != new]
    grown = []
    wrong = sorted(f"{name}: is not counted any more" for name in before.keys() - counts.keys())
    for name, count in counts.items():
        old = before.get(name)
        if old is None:
            wrong.append(f"{name}: is not recorded")
            print(f"{name:<28}{count:>10.2f}")
            continue
        change = (count / old - 1) * 100
        print(f"{name:<28}{count:>10.2f}{old:>10.2f}{change:>+9.1f} %")
        if change > LIMIT:
            grown.append(f"{name}: {count:.2f} instructions a call, and {old:.2f} recorded: {change:+.1f} %")
        elif change < -LIMIT:
            print(f"{name}: takes less; record it with ci/instructions.sh --record")
    if differs:
        print("not compared, because what the file was made with is not what is here (recorded / here):")
        print("\n".join(f"  {line}" for line in differs))
    else:
        wrong += grown
    if wrong:
        print("\n".join(wrong))
        sys.exit("ci/instructions.sh: error: this is not what benches/instructions.txt says")
    if not differs:
        print(f"{len(counts)} paths take what is recorded, within {LIMIT} %")


def main():
    folder, *rest = sys.argv[1:]
    counts = counted(folder)
    if not counts:
        sys.exit("ci/instructions.sh: error: nothing was counted")
    if rest == ["--record"]:
        record(counts)
    else:
        compare(counts)


main()
