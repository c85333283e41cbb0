"""Real processes for tests, which never keep a failed test waiting."""

import multiprocessing
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

SPAWN = multiprocessing.get_context("spawn")


def run_at_once(function: Callable[..., Any], count: int, *arguments: Any) -> list[Any]:
    """Call a module's function in several processes at once, and return the results."""
    barrier, answers = SPAWN.Barrier(count), SPAWN.Queue()
    processes = [
        SPAWN.Process(target=_run, args=(function, arguments, barrier, answers), daemon=True) for _ in range(count)
    ]
    for process in processes:
        process.start()
    results = [answers.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a command; wait for it at the end of the block, or kill it if the block fails.

    `Popen` itself waits in both cases: for ever, where the process waits for what the block would have done.
    """
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def _run(function: Callable[..., Any], arguments: tuple[Any, ...], barrier: Any, answers: Any) -> None:
    barrier.wait(timeout=60)
    try:
        answers.put(function(*arguments))
    except Exception as error:  # noqa: BLE001 - raised again in the test's process
        answers.put(error)
