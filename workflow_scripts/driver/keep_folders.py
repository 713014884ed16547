"""A patch of Snakemake 9: a folder that a rule wrote stays until the rule has completely written it again.

Snakemake removes a job's outputs before the job starts. It keeps those marked `update`, but it copies each first, which
doubles the disk space, and it records a failed job as done. With this patch nothing is copied, because every script
builds its folder beside the old one (workflow_scripts.shared.files.replacing). A failed job counts as not done. Remove
this patch when Snakemake offers that itself.
"""

from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from snakemake.io import is_flagged
from snakemake.persistence import PersistenceBase


def mark_folders(outputs: Iterable[Any]) -> None:
    """Mark the folders among a rule's outputs, so that Snakemake does not remove them."""
    for output in outputs:
        if is_flagged(output, "directory"):
            output.flags["update"] = True


def keep_old_folders() -> None:
    """Make Snakemake keep marked folders without a copy, and run a failed job again next time."""
    kept: set[str] = set()
    finish: Callable[[PersistenceBase, Any], Coroutine[Any, Any, None]] = PersistenceBase.finished

    def keep(persistence: PersistenceBase, path: Path) -> bool:
        kept.add(str(path))
        return path.exists()

    async def finished(persistence: PersistenceBase, job: Any) -> None:
        failed = {str(output) for output in job.output} & kept
        kept.difference_update(failed)
        # Do not record the job as done. Its mark as begun stays, so nobody takes the old folder for its result.
        if not failed:
            await finish(persistence, job)

    PersistenceBase.backup_output = lambda self, path: None
    PersistenceBase.cleanup_backup = lambda self, path: None
    PersistenceBase.restore_output = keep
    PersistenceBase.finished = finished
