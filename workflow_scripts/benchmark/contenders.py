"""The contenders of the benchmark: engines in a page's workers, and native engines in processes of their own."""

import json
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Error, Page

from workflow_scripts.shared.failures import Failure


@dataclass(frozen=True)
class Frame:
    """The time from input to d0 in milliseconds, and the values of d0 row by row if they were asked for."""

    ms: float
    d0: NDArray[np.float32] | None


class CannotRun(Failure):
    """An engine says that it cannot run the model here, for example for lack of memory."""


def frame_of(answer: Mapping[str, Any]) -> Frame:
    """Turn a contender's answer into a frame."""
    return Frame(answer["ms"], None if answer["d0"] is None else np.array(answer["d0"], np.float32))


class Contender(ABC):
    """A model on an engine with a number of threads."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def open(self) -> dict[str, Any]:
        """Start the engine and load the model. Return what it says of itself: at least `version` and `threads`."""

    @abstractmethod
    def frame(self, output: bool) -> Frame:
        """Draw the probe once."""

    @abstractmethod
    def close(self) -> None:
        """Stop the engine and free its memory."""


@contextmanager
def opened(contender: Contender) -> Iterator[dict[str, Any]]:
    """Open a contender for the block. Yield what its engine says of itself."""
    said = contender.open()
    try:
        yield said
    finally:
        contender.close()


def call_page(page: Page, name: str, method: str, *arguments: Any) -> Any:
    """Call a function of the benchmark's page. If it throws, raise CannotRun with the contender's name."""
    try:
        return page.evaluate("([method, ...rest]) => window.benchmark[method](...rest)", [method, *arguments])
    except Error as error:
        reason = error.message.partition("\n")[0]
        raise CannotRun(f"{name} failed in Chromium ({method}): {reason}") from error


class BrowserContender(Contender):
    """An engine in a worker of the benchmark's page."""

    def __init__(self, page: Page, name: str, contender: Mapping[str, Any], threads: int, probe: str) -> None:
        super().__init__(name)
        self._page = page
        self._asked = (dict(contender), threads, probe)

    def open(self) -> dict[str, Any]:
        """Start the worker."""
        said: dict[str, Any] = call_page(self._page, self.name, "open", self.name, *self._asked)
        return said

    def frame(self, output: bool) -> Frame:
        """Draw the probe once. The worker measures the time."""
        return frame_of(call_page(self._page, self.name, "frame", self.name, output))

    def close(self) -> None:
        """Stop the worker."""
        call_page(self._page, self.name, "close", self.name)


class NativeContender(Contender):
    """An engine in a process of its own. It draws a frame for each line that it reads."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        super().__init__(name)
        self._command = command

    def open(self) -> dict[str, Any]:
        """Start the process."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self._answer()

    def frame(self, output: bool) -> Frame:
        """Draw the probe once. The process measures the time."""
        stdin = cast(IO[str], self._process.stdin)
        # If the process has ended, its answer is missing, and _answer says so.
        with suppress(BrokenPipeError):
            stdin.write("output\n" if output else "frame\n")
            stdin.flush()
        return frame_of(self._answer())

    def _answer(self) -> dict[str, Any]:
        line = cast(IO[str], self._process.stdout).readline()
        if not line:
            raise Failure(f"{self.name} ended with exit status {self._process.wait()}; its own messages are above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Close the process's input, at which it ends, and wait for it."""
        self._process.communicate()
