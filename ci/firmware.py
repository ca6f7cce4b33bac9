"""What the images of single crates hold, from their symbols and their machine code. Run through firmware.sh.

    firmware.py sizes BUILD            prints the two tables of firmware/README.md
    firmware.py check BUILD README     checks the images, and that the tables in README still say what is measured

BUILD holds the folders of both targets. An image is described by the first line of its source.
"""

import pathlib
import re
import subprocess
import sys

TARGETS = {"thumbv6m-none-eabi": "Cortex-M0", "thumbv7m-none-eabi": "Cortex-M3"}
SOURCES = pathlib.Path(__file__).resolve().parent.parent / "firmware" / "src" / "alone"
FLOOR = "empty"
COUNTERPROOFS = {"panics", "floats"}
# What the smallest use of `hlc` may take of a Cortex-M0's flash, beyond the floor.
HLC_CLOCK_BYTES = 4096
# The most instructions that may run with interrupts off, in any image on any target.
MASKED_INSTRUCTIONS = 48
# How far a table may be off before it has to be made anew: another compiler moves a few bytes.
TOLERANCE = 0.1

FLOAT = re.compile(r"compiler_builtins::float|__aeabi_(?:[fd](?:add|sub|rsub|mul|div|cmp|neg|2)|u?[il]2[fd])")
# portable-atomic's lock: an interrupt that meets it held waits for ever.
LOCK = re.compile(r"portable_atomic::imp::fallback")


def tool(name, *arguments):
    done = subprocess.run([f"arm-none-eabi-{name}", *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def images():
    return sorted(path.stem for path in SOURCES.glob("*.rs") if path.stem not in COUNTERPROOFS)


def describe(image):
    first = (SOURCES / f"{image}.rs").read_text().splitlines()[0]
    return first.removeprefix("//! ").rstrip(".")


def flash_and_ram(path):
    text, data, bss = tool("size", path).splitlines()[1].split()[:3]
    return int(text) + int(data), int(data) + int(bss)


def symbols(path):
    return tool("nm", "-C", path)


class Masked(Exception):
    """A path that does not end in letting interrupts in again, or that cannot be counted."""


def instructions(path):
    """Address to (operation, operands, address of the next one)."""
    found = {}
    for line in tool("objdump", "-d", "--no-show-raw-insn", path).splitlines():
        at = re.match(r"\s*([0-9a-f]+):\t(\S+)\s*(.*)", line)
        if at:
            found[int(at[1], 16)] = (at[2], at[3])
    order = sorted(found)
    following = dict(zip(order, order[1:]))
    return {at: (*found[at], following.get(at)) for at in order}


RETURN, UNMASK = "return", "unmask"
CONDITIONAL = re.compile(r"b(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)(\.[nw])?|cbn?z")
INDIRECT = re.compile(r"(bx|blx|svc|tb[bh]|(pop|ldm\w*|ldr|mov\w*|add)(\.[nw])?\s.*\bpc\b[^\[]*$).*")


def longest(code, at, end, path=frozenset()):
    """The most instructions from `at` to what ends the stretch: a return, or interrupts being let in again."""
    if at in path:
        raise Masked(f"a loop at {at:x}")
    operation, operands, following = code[at]
    path |= {at}
    unmasks = operation == "cpsie" or operation == "msr" and operands.upper().startswith("PRIMASK")
    returns = operation == "bx" and operands == "lr" or operation.startswith("pop") and "pc" in operands
    if unmasks or returns:
        if (unmasks, end) not in {(True, UNMASK), (False, RETURN)}:
            raise Masked(f"a way out at {at:x}")
        return 1
    jump = re.search(r"\b([0-9a-f]+) <", operands)
    cost = 1
    if operation == "bl":
        # What the compiler took out of several places to save room.
        cost += longest(code, int(jump[1], 16), RETURN)
        ways = [following]
    elif re.fullmatch(r"b(\.[nw])?", operation):
        ways = [int(jump[1], 16)]
    elif CONDITIONAL.fullmatch(operation):
        ways = [int(jump[1], 16), following]
    elif INDIRECT.match(f"{operation} {operands.split('[')[0]}"):
        raise Masked(f"a jump that cannot be followed at {at:x}")
    else:
        ways = [following]
    return cost + max(longest(code, way, end, path) for way in ways)


def masked(code):
    """For each place that shuts interrupts out: how many instructions run before they are let in, at most."""
    return [longest(code, following, UNMASK) for operation, _, following in code.values() if operation == "cpsid"]


def measure(build):
    """For each image: flash beyond the floor and RAM, and the masked stretches, by target."""
    sizes, stretches = {}, {}
    for target in TARGETS:
        folder = pathlib.Path(build) / target / "release"
        floor, _ = flash_and_ram(folder / FLOOR)
        for image in images():
            flash, ram = flash_and_ram(folder / image)
            sizes.setdefault(image, []).extend([flash if image == FLOOR else flash - floor, ram])
            try:
                stretches.setdefault(image, []).append(masked(instructions(folder / image)))
            except Masked as problem:
                sys.exit(f"firmware.py: {image} on {target} shuts interrupts out, and there is {problem}")
    return sizes, stretches


def size_rows(sizes):
    return {image: numbers for image, numbers in sizes.items()}


def masked_rows(stretches):
    rows = {}
    for image, found in stretches.items():
        if any(found):
            rows[image] = [number for one in found for number in (len(one), max(one, default=0))]
    return rows


def table(heads, rows, last):
    lines = ["| image | " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1) + "---|"]
    lines += [f"| `{image}` | " + " | ".join(map(str, numbers)) + f" | {last(image)} |" for image, numbers in rows.items()]
    return "\n".join(lines)


def tables(sizes, stretches):
    names = list(TARGETS.values())
    heads = [f"{name} {what}" for name in names for what in ("flash", "RAM")] + ["what is in it"]
    yield table(heads, size_rows(sizes), describe)
    heads = [f"{name} {what}" for name in names for what in ("places", "longest")] + ["what is in it"]
    yield table(heads, masked_rows(stretches), describe)


def rows_of(readme):
    """The numbers of each row of a table whose first cell is the name of an image, in the order of the tables."""
    rows = {}
    for line in pathlib.Path(readme).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        name = re.fullmatch(r"`(\w+)`", cells[0])
        if name and all(cell.isdigit() for cell in cells[1:5]) and len(cells) >= 5:
            rows.setdefault(name[1], []).append([int(cell) for cell in cells[1:5]])
    return rows


def check(build, readme):
    sizes, stretches = measure(build)
    problems = []
    told = rows_of(readme)
    wanted = {image: [numbers] for image, numbers in size_rows(sizes).items()}
    for image, numbers in masked_rows(stretches).items():
        wanted[image].append(numbers)
    for image, tables_of in wanted.items():
        for nth, numbers in enumerate(tables_of):
            rows = told.get(image, [])
            if nth >= len(rows):
                problems.append(f"{readme} has no row for {image}; see ci/firmware.sh --sizes")
            elif any(abs(one - other) > max(64 if nth == 0 else 4, TOLERANCE * other) for one, other in zip(rows[nth], numbers)):
                problems.append(f"{readme} says {rows[nth]} of {image}, measured is {numbers}; see ci/firmware.sh --sizes")
    for target in TARGETS:
        folder = pathlib.Path(build) / target / "release"
        for image in [*images(), "report"]:
            names = symbols(folder / image)
            if LOCK.search(names):
                problems.append(f"{image} on {target} has a lock that an interrupt would wait for")
            if image != "report" and FLOAT.search(names):
                problems.append(f"{image} on {target} has a float in it: {FLOAT.search(names)[0]}")
    floats = pathlib.Path(build) / next(iter(TARGETS)) / "release" / "floats"
    if not FLOAT.search(symbols(floats)):
        problems.append("no float was found in the image that has one: the check is blind")
    if sizes["hlc_clock"][0] >= HLC_CLOCK_BYTES:
        problems.append(f"hlc_clock takes {sizes['hlc_clock'][0]} bytes of flash, {HLC_CLOCK_BYTES} are allowed")
    for image, found in stretches.items():
        worst = max((max(one, default=0) for one in found), default=0)
        if worst > MASKED_INSTRUCTIONS:
            problems.append(f"{image} runs {worst} instructions with interrupts off, {MASKED_INSTRUCTIONS} are allowed")
    for image in ("hlc_atomic", "lamport_rest", "epoch_gate"):
        if not any(stretches[image]):
            problems.append(f"{image} never shuts interrupts out: nothing was counted")
    for image in ("hlc_clock", "hlc_timer", "lamport_clock", "vector_clock"):
        if any(stretches[image]):
            problems.append(f"{image} has one owner, and shuts interrupts out")
    if problems:
        sys.exit("\n".join(f"firmware.py: {problem}" for problem in problems))
    longest = max(max(one, default=0) for found in stretches.values() for one in found)
    print(f"{len(sizes)} images on {len(TARGETS)} targets: none can panic, has a float or a lock; the smallest use of")
    print(f"hlc takes {sizes['hlc_clock'][0]} bytes; at most {longest} instructions run with interrupts off")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sizes", build]:
            print("\n\n".join(tables(*measure(build))))
        case ["check", build, readme]:
            check(build, readme)
        case _:
            sys.exit(__doc__)
