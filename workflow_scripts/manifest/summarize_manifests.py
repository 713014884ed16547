"""Tabulate the manifests' figures, a row a model, resolution, engine and dtype: Markdown, printed too, and a page."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.formats.manifest import vouched
from workflow_scripts.manifest.summary import markdown, page, rows
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True)
    parser.add_argument("--table", type=Path, required=True, help="Markdown to write")
    parser.add_argument("--page", type=Path, required=True, help="HTML to write")
    arguments = parser.parse_args(argv)
    body = [row for manifest in arguments.manifests for row in rows(vouched(manifest))]
    table = markdown(body)
    with replacing(arguments.table) as staging:
        staging.write_text(table)
    with replacing(arguments.page) as staging:
        staging.write_text(page(body))
    print(table, end="")


if __name__ == "__main__":
    run(main)
