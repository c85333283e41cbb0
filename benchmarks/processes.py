"""Measurement of functions in processes of their own: seconds, CPU seconds, peak memory.

Memory that one stage used would otherwise count as the next one's, and so would imports and caches. CPU seconds are
the measure that other load on the machine disturbs least.
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
    """The measurements of a process.

    Attributes:
        seconds: of the function, on the wall.
        cpu_seconds: of the function, in all threads, user and system.
        process_seconds: of the whole process, its start and imports included.
        process_cpu_seconds: of the whole process.
        children_cpu_seconds: of the processes that it started and waited for, such as the sandbox.
        peak_mib: the most memory that the process held, without its children's.
        result: the function's return value.
    """

    seconds: float
    cpu_seconds: float
    process_seconds: float
    process_cpu_seconds: float
    children_cpu_seconds: float
    peak_mib: int
    result: dict[str, Any]


def measure(function: Callable[..., Mapping[str, Any] | None], **arguments: Any) -> Measured:
    """Run a module's function, whose arguments and result are JSON, in a fresh process.

    Raises:
        CalledProcessError: the process failed; its output is on standard error.
    """
    started = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.processes", function.__module__, function.__name__]
    done = subprocess.run([*command, json.dumps(arguments, default=str)], check=True, stdout=subprocess.PIPE, text=True)
    process_seconds = time.monotonic() - started
    return Measured(process_seconds=process_seconds, **json.loads(done.stdout.splitlines()[-1]))


def run(module: str, name: str, arguments: str) -> None:
    """Call the function in the measured process, and print the measurements as the last line."""
    function = getattr(import_module(module), name)
    started, cpu_started = time.monotonic(), time.process_time()
    result = function(**json.loads(arguments))
    seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_started
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured = {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "process_cpu_seconds": time.process_time(),
        "children_cpu_seconds": children.ru_utime + children.ru_stime,
        "peak_mib": peak_bytes() // MEBIBYTE,
        "result": dict(result or {}),
    }
    print(f"\n{json.dumps(measured)}")


def peak_bytes() -> int:
    """Return the peak memory of this process; on Linux `getrusage` would include the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def cores() -> int:
    """Count the cores of this machine."""
    return os.cpu_count() or 1


if __name__ == "__main__":
    run(*sys.argv[1:])
