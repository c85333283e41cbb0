"""Runs a function in a process of its own, and measures that process: seconds, CPU seconds, peak memory.

Memory that one stage used would otherwise count as the next one's, and so would imports and caches. CPU seconds are
what machines that are shared disturb least.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Measured:
    """What a process took.

    Attributes:
        seconds: of the function, on the wall.
        cpu_seconds: of the function, in all threads, user and system.
        process_seconds: of the whole process, its start and imports included.
        process_cpu_seconds: likewise.
        children_cpu_seconds: of the processes that it started and waited for, such as the sandbox.
        peak_mib: the most memory that the process held, without its children's.
        said: what the function returned.
    """

    seconds: float
    cpu_seconds: float
    process_seconds: float
    process_cpu_seconds: float
    children_cpu_seconds: float
    peak_mib: int
    said: dict[str, Any]


def measure(function: Callable[..., Mapping[str, Any] | None], **arguments: Any) -> Measured:
    """Runs a module's function, whose arguments and result are JSON, in a fresh process.

    Raises:
        CalledProcessError: the process failed; what it said is on standard error.
    """
    started = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.processes", function.__module__, function.__name__]
    done = subprocess.run([*command, json.dumps(arguments, default=str)], check=True, stdout=subprocess.PIPE, text=True)
    process_seconds = time.monotonic() - started
    return Measured(process_seconds=process_seconds, **json.loads(done.stdout.splitlines()[-1]))


def run(module: str, name: str, arguments: str) -> None:
    """What the process does: calls the function and prints what it took as the last line."""
    function = getattr(import_module(module), name)
    started, cpu_started = time.monotonic(), time.process_time()
    said = function(**json.loads(arguments))
    seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_started
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured = {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "process_cpu_seconds": time.process_time(),
        "children_cpu_seconds": children.ru_utime + children.ru_stime,
        "peak_mib": peak_bytes() // MEBIBYTE,
        "said": dict(said or {}),
    }
    print(f"\n{json.dumps(measured)}")


def peak_bytes() -> int:
    """The most memory that this process held. Linux gives `getrusage` the parent's peak as well."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def cores() -> int:
    """How many this machine gives."""
    return os.cpu_count() or 1


if __name__ == "__main__":
    run(*sys.argv[1:])
