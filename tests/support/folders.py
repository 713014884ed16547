"""List a folder as a person sees it."""

from pathlib import Path


def visible(folder: Path) -> list[Path]:
    """Return the files and folders of a folder in order. Hidden ones, such as the seals of outputs, are left out."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
