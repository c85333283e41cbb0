"""Real processes that tests start. None of them keeps a failed test waiting."""

import multiprocessing
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

SPAWN = multiprocessing.get_context("spawn")


def run_at_once(function: Callable[..., Any], count: int, *arguments: Any) -> list[Any]:
    """What a module's function returns in each of several processes, none of which begins before all are up."""
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
    """A command's process, which is waited for at the end of the block and killed where the block fails.

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
