"""Damaged files, as from broken disks, editors and uploads: every line is accounted for, and all good ones are read."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable

import zstandard

from snap_pipeline.lake.raw import lines_of_events, make_raw_events
from snap_pipeline.lake.storage import partition
from snap_pipeline_tests.chaos.conftest import Chaos
from snap_pipeline_tests.project import HOUR, Project, purchase

LINES = 40
BREAKS = (b"\n", b"\r\n", b"\r")
CONTROLS = bytes([0, 1, 2, 3, 8, 11, 12, 26, 27, 28, 30, 31, 127])
NAMES = (
    "plain",
    "a b",
    "it's",
    'a"b',
    "[x]",
    "*?",
    "{a,b}",
    "%41",
    "a;b",
    "ä",
    "😀",
    "a\nb",
    "a\\b",
    "b\udcff",
    "\udce9t\udce9",
)


def insert_control(line: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(line) + 1)
    return line[:place] + bytes([chance.choice(CONTROLS)]) + line[place:]


def flip_bit(line: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(line))
    return line[:place] + bytes([line[place] ^ 1 << chance.randrange(8)]) + line[place + 1 :]


def cut(line: bytes, chance: random.Random) -> bytes:
    return line[: chance.randrange(len(line))]


def insert_bytes(line: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(line) + 1)
    return line[:place] + chance.randbytes(chance.randrange(1, 9)) + line[place:]


def double(line: bytes, chance: random.Random) -> bytes:
    return line + chance.choice([b"", b" ", b",", b"\t"]) + line


MUTATIONS = (insert_control, flip_bit, cut, insert_bytes, double)


def text_of(rows: list[bytes], chance: random.Random) -> bytes:
    """Join rows by line breaks, mostly of one kind, at times of all kinds."""
    breaks = BREAKS if chance.random() < 0.3 else (chance.choice(BREAKS),)
    return b"".join(row + chance.choice(breaks) for row in rows)


def pack(text: bytes, suffix: str, chance: random.Random) -> bytes:
    """Pack a text as a file of that suffix; gzip in several members, some of them padded with zeros."""
    compress: Callable[[bytes], bytes] = {".gz": gzip.compress, ".zst": zstandard.compress, "": bytes}[suffix]
    parts = [text[: (place := chance.randrange(len(text)))], text[place:]]
    filling = bytes(chance.choice([0, 0, 7, 512])) if suffix else b""
    return b"".join(compress(part) + filling for part in parts)


def lines_in(text: bytes) -> set[int]:
    """Return the numbers of the lines that are not blank."""
    return {number for number, line in enumerate(text.splitlines(), 1) if line.strip(b" \t\r\n")}


def damaged_lines(name: str, chance: random.Random) -> tuple[list[bytes], set[str]]:
    """Return lines of which a third is damaged, and the ids of the others."""
    lines: list[bytes] = []
    good: set[str] = set()
    for index in range(LINES):
        event_id = f"{name}-{index}"
        line = json.dumps(purchase(event_id), ensure_ascii=False).encode()
        if chance.random() < 0.3:
            lines.append(chance.choice(MUTATIONS)(line, chance))
        else:
            lines.append(line)
            good.add(event_id)
    return lines, good


def test_each_line_of_a_damaged_file_is_accounted_for_and_every_good_one_is_read(
    project: Project, chaos: Chaos
) -> None:
    chance, reasons, read = chaos.random, Counter[str](), 0
    for number in chaos.rounds(6):
        flipped, here = "flipped.ndjson.gz", f"seed {chaos.seed}, round {number}"
        lines, good = damaged_lines(f"{number}", chance)
        text, suffix = text_of(lines, chance), chance.choice(["", "", ".gz", ".zst"])
        packed = gzip.compress("\n".join(json.dumps(purchase(f"packed-{n}")) for n in range(LINES)).encode())
        landed = [
            project.land_bytes(pack(text, suffix, chance), f"{number}-{chance.choice(NAMES)}.ndjson{suffix}"),
            project.land_bytes(flip_bit(packed, chance), flipped),
            project.land_bytes(packed[: -chance.randrange(9, len(packed) - 9)], "cut.ndjson.gz"),
            project.land({"event_id": "clean"}, name="clean"),
        ]

        make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)

        rows = Counter(row["source_file"] for row in project.rows("raw_events"))
        ids = {row["event_id"] for row in project.rows("raw_events")}
        assert good | {"clean"} <= ids, (here, good - ids)
        bad = project.rows("quarantined_lines")
        whole = {row["source_file"].rpartition("/")[2]: row["reason"] for row in bad if row["line_number"] is None}
        numbers = [row["line_number"] for row in bad if row["source_file"].rpartition("/")[2].startswith(f"{number}-")]
        # A flipped bit may as well stand in a comment of the format, or spell another text: no checksum is compared.
        assert whole == {"cut.ndjson.gz": "damaged_gzip"} | ({flipped: "damaged_gzip"} if flipped in whole else {}), (
            here
        )
        # A line may hold several objects, and an object beside damage.
        read_lines = [
            line
            for file in rows
            if file.rpartition("/")[2].startswith(f"{number}-")
            for line in lines_of_events(project.pipeline.lake, project.pipeline.landing, HOUR, file)
        ]
        assert {*read_lines, *numbers} == lines_in(text), here
        assert len(read_lines) == sum(n for file, n in rows.items() if file.rpartition("/")[2].startswith(f"{number}-"))
        reasons.update(row["reason"] for row in bad)
        read += rows.total()
        for file in landed:
            file.unlink()
        for table in ("raw_events", "quarantined_lines"):
            project.pipeline.lake.storage.path(partition(table, HOUR)).unlink()
    chaos.figures(files=4 * len(chaos.rounds(6)), read=read, **reasons)
