"""Serve the site on localhost with the headers that wasm threads need."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.serving import listen


async def serve(site: Path, port: int, origins: Sequence[str]) -> None:
    """Serve until the process is told to stop; raise Failure if the port cannot be used."""
    try:
        _, taken = listen(site, port, cors_origins=tuple(origins))
    except OSError as error:
        raise Failure(f"port {port} cannot be used ({error.strerror}); pass --config port=PORT") from error
    print(f"Serving {site} on http://localhost:{taken}/ (stop with Ctrl-C)", flush=True)
    await asyncio.Event().wait()


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--origins", nargs="*", default=[], help="whose pages may read the site; none: every page")
    arguments = parser.parse_args(argv)
    if not (arguments.site / "index.html").is_file():
        raise Failure(f"there is no site in {arguments.site}; build one with: snakemake site")
    try:
        asyncio.run(serve(arguments.site, arguments.port, arguments.origins))
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    run(main)
