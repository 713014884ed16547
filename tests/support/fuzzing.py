"""What all fuzz targets share: how to make inputs from good ones, and what a reader must do with every input."""

import os
import random
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The most that reading one small input may take. Measured: under 2 s and 300 MB; the rest is for a loaded machine.
CPU_SECONDS = 30
MEMORY_BYTES = 1 << 30
STARTS = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# A short run, the same each time. run.py starts long ones.
RUNS = int(os.environ.get("U2NET_FUZZ_RUNS", "0"))
short = settings(
    max_examples=RUNS or 60,
    deadline=None,
    database=None,
    derandomize=not RUNS,
    suppress_health_check=list(HealthCheck),
)


def instrument(*modules: str) -> None:
    """Import modules so that a long run learns which branches an input takes. A short run only imports them."""
    watched: AbstractContextManager[None] = nullcontext()
    if "pytest" not in sys.modules:
        import atheris

        watched = atheris.instrument_imports(include=list(modules))
    with watched:
        for module in modules:
            import_module(module)


def fuzz(target: Any) -> None:
    """Hand a target to libFuzzer, with libFuzzer's own arguments from the command line: -max_total_time=SECONDS, ….

    It stops at the first input for which the target raises, and writes that input to a file crash-….
    """
    import atheris

    # Without this start, libFuzzer would try the fewest bytes, and from those Hypothesis makes the simplest inputs.
    corpus = Path(f"corpus-{Path(sys.argv[0]).stem}")
    if not corpus.is_dir():
        corpus.mkdir()
        for seed in range(40):
            (corpus / str(seed)).write_bytes(random.Random(seed).randbytes(3000))  # noqa: S311

    def mutate(data: bytes, largest: int, seed: int) -> bytes:
        # Hypothesis makes an input of the first bytes, often of fewer than 100. The others change nothing.
        chance = random.Random(seed)  # noqa: S311
        head = chance.choice((8, 24, 72, 216, len(data)))
        # Half of the time, decide again everything after the head.
        rest = chance.randbytes(largest) if chance.random() < 0.5 else data[head:] + chance.randbytes(head)
        return (atheris.Mutate(data[:head], head) + rest)[:largest]

    arguments = ["-len_control=0", "-reduce_inputs=0", "-rss_limit_mb=8000", "-timeout=120", *sys.argv[1:]]
    # If an argument is a file, libFuzzer runs that input only.
    corpora = [] if any(Path(each).is_file() for each in sys.argv[1:]) else [str(corpus)]
    atheris.Setup([sys.argv[0], *arguments, *corpora], target.hypothesis.fuzz_one_input, custom_mutator=mutate)
    atheris.Fuzz()


class Watch:
    """Notes what a reader does besides reading. Python tells it of each file that is opened and each process."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.deeds: list[str] = []
        self.judged = 0
        sys.dont_write_bytecode = True
        sys.addaudithook(self.see)

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what a reader must not do."""
        if self.folder is None:
            return
        if event in STARTS:
            self.deeds.append(f"{event}{arguments[:2]}")
        elif event == "open" and isinstance(arguments[0], str | bytes):
            path, mode, flags = os.fsdecode(arguments[0]), arguments[1] or "", arguments[2]
            writes = set(mode) & set("wax+") if mode else flags & WRITES
            inside = os.path.realpath(path).startswith(str(self.folder))
            if writes and not inside and path != os.devnull:
                self.deeds.append(f"opens {path} to write")

    @contextmanager
    def reading(self, folder: Path, *admitted: type[BaseException], own: str | None = None) -> Iterator[None]:
        """Allow a block to read files in `folder`, to write below its `own`, and to raise only `admitted`.

        Raises AssertionError for a message of several lines, for other files or processes, and for too much time or
        memory.
        """
        folder = folder.resolve()
        before = files_in(folder, own)
        memory, started = peak_bytes(), time.process_time()
        self.deeds, self.folder = [], folder
        message = ""
        try:
            yield
        except admitted as refusal:
            message = str(refusal)
        finally:
            self.folder = None
        assert "\n" not in message, "a message of several lines"
        assert len(message) < 2000, "a message of a whole page"
        assert not self.deeds, self.deeds
        assert files_in(folder, own) == before
        assert time.process_time() - started < CPU_SECONDS
        assert peak_bytes() - memory < MEMORY_BYTES
        self.judged += 1
        if self.judged % 100 == 0:
            print(f"{self.judged} inputs judged", file=sys.stderr, flush=True)


def files_in(folder: Path, own: str | None) -> set[Path]:
    """Return every path in a folder, except those below `own`."""
    return {path for path in folder.rglob("*") if path.relative_to(folder).parts[0] != own}


def peak_bytes() -> int:
    """Return the most memory that this process has had."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


SIZES = st.sampled_from(
    [0, 1, 2, 3, 7, 127, 128, 255, 256, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1]
)


@st.composite
def damaged(draw: st.DrawFn, content: bytes, most: int = 4) -> bytes:
    """Overwrite, insert, repeat or cut bytes, or replace four or eight bytes by a special number."""
    data = bytearray(content)
    for _ in range(draw(st.integers(0, most))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 5)):
            case 0:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                data[at:at] = draw(st.binary(min_size=1, max_size=16))
            case 2:
                data[at:at] = data[at : at + draw(st.integers(1, 64))] * draw(st.integers(1, 4))
            case 3:
                del data[at : at + draw(st.integers(1, 64))]
            case 4:
                size = draw(st.sampled_from([2, 4, 8]))
                number = draw(SIZES) % 2 ** (8 * size)
                data[at : at + size] = number.to_bytes(size, draw(st.sampled_from(["little", "big"])))
            case _:
                del data[at:]
    return bytes(data)


HOSTILE_TEXTS = [
    *("", ".", "..", "../../../../etc/passwd", "/etc/passwd", "a; touch planted", "$(touch planted)", "`id`", "-rf"),
    *("a\nb", "a\0b", "\x1b[2J", "\u202e", "\ud800", "x" * 5000, "__proto__", "NaN", "{0.__class__}", "%s%n", "nul"),
]
HOSTILE = st.one_of(
    st.sampled_from([None, True, False, -1, 0, 1, 2**31, 2**63, 2**64, -(2**63), 10**30, 0.5, -0.0, 1e308, 64.0]),
    st.sampled_from([float("nan"), float("inf"), [], {}, [[]], [[[[[[[[[[[[]]]]]]]]]]]], {"": {}}]),
    st.sampled_from(HOSTILE_TEXTS),
    st.text(max_size=8),
    st.recursive(st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3), max_leaves=5),
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the path to every value in nested dicts and lists."""
    items: Sequence[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [place, *(found for key, item in items for found in places(item, (*place, key)))]


@st.composite
def changed(draw: st.DrawFn, value: Any, most: int = 3) -> Any:
    """Replace, remove, repeat or add values anywhere in nested dicts and lists."""
    for _ in range(draw(st.integers(0, most))):
        *way, last = draw(st.sampled_from(places(value))) or (None,)
        if last is None:
            value = deepcopy(draw(HOSTILE))
            continue
        holder = value
        for key in way:
            holder = holder[key]
        match draw(st.integers(0, 3)):
            case 0 | 1:
                holder[last] = deepcopy(draw(HOSTILE))
            case 2:
                del holder[last]
            case _ if isinstance(holder, list):
                holder.insert(last, deepcopy(holder[last]))
            case _:
                holder[draw(st.sampled_from(HOSTILE_TEXTS))] = deepcopy(holder[last])
    return value
