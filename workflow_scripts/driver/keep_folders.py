"""A mend of Snakemake 9: a folder that a rule wrote stays until the rule has written it again, whole.

Snakemake removes a job's outputs before the job starts. It leaves those marked `update`, but copies each first, which
takes the disk space twice, and records a failed job as done. Here nothing is copied, as every script builds its folder
beside the old one (workflow_scripts.shared.files.replacing), and a failed job counts as not done. It can go when
Snakemake offers that itself.
"""

from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from snakemake.io import is_flagged
from snakemake.persistence import PersistenceBase


def mark_folders(outputs: Iterable[Any]) -> None:
    """Mark those of a rule's outputs that are folders as ones that Snakemake must not remove."""
    for output in outputs:
        if is_flagged(output, "directory"):
            output.flags["update"] = True


def keep_old_folders() -> None:
    """Have Snakemake keep marked folders without a copy, and run a failed job again next time."""
    kept: set[str] = set()
    finish: Callable[[PersistenceBase, Any], Coroutine[Any, Any, None]] = PersistenceBase.finished

    def keep(persistence: PersistenceBase, path: Path) -> bool:
        kept.add(str(path))
        return path.exists()

    async def finished(persistence: PersistenceBase, job: Any) -> None:
        failed = {str(output) for output in job.output} & kept
        kept.difference_update(failed)
        # Not recorded: the mark that the job was begun stays, so that what the old folder was made of is not mistaken.
        if not failed:
            await finish(persistence, job)

    PersistenceBase.backup_output = lambda self, path: None
    PersistenceBase.cleanup_backup = lambda self, path: None
    PersistenceBase.restore_output = keep
    PersistenceBase.finished = finished
