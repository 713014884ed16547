"""Say which version of this project ran: always by the digest of its files, and by its git commit if it has one."""

import hashlib
import os
import subprocess
from pathlib import Path

from workflow_scripts.shared.files import sha256

# The files that decide what a run builds.
OWN_FILES = (
    "Snakefile",
    "config.yaml",
    "config.schema.yaml",
    "requirements.txt",
    "rules/**/*.smk",
    "workflow_scripts/**/*.py",
    "workflow_scripts/**/*.cts",
    "workflow_scripts/**/*.json",
    "workflow_scripts/**/*.txt",
    "envs/**/*.txt",
    "envs/**/*.json",
    "web/*.html",
    "web/*.json",
    "web/*.ts",
    "web/src/**/*",
    "web/lib/**/*",
    "web/build/**/*",
    "web/benchmark/**/*",
)


def source_digest(root: Path) -> str:
    """Return the SHA-256 of the list that `sha256sum` makes of the project's own files below `root`."""
    files = sorted({file for pattern in OWN_FILES for file in root.glob(pattern) if file.is_file()})
    lines = [f"{sha256(file)}  {file.relative_to(root)}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def git_commit(root: Path) -> str | None:
    """Return the commit of the checkout at `root`, with "-dirty" appended if files differ from it.

    Return None if there is no commit, and print the reason. If the project was unpacked inside another repository, that
    repository's commit does not count, because it names other files.
    """
    # The caller's environment must not choose the repository. Git refuses a folder of another user, because it would
    # run commands from that folder's configuration; but this program itself already runs from there.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    git = ["git", "-c", f"safe.directory={root}"]

    def ask(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                [*git, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            print("no git here: the manifest names no commit")
            return None
        if done.returncode:
            print(f"the manifest names no commit: {(done.stderr.strip() or 'git failed').splitlines()[0]}")
            return None
        return done.stdout.strip()

    top = ask("rev-parse", "--show-toplevel")
    if top is None:
        return None
    if Path(top).resolve() != root.resolve() or ask("ls-files", "--error-unmatch", "Snakefile") is None:
        print(f"the manifest names no commit: {root} is not the checkout of the repository at {top}")
        return None
    commit = ask("rev-parse", "HEAD")
    if commit is None:
        return None
    return f"{commit}-dirty" if ask("status", "--porcelain", "--untracked-files=no") else commit
