"""Serve the site on localhost with the headers that wasm threads need."""

import argparse
from collections.abc import Sequence
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.serving import IsolatedHandler


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free port")
    arguments = parser.parse_args(argv)
    handler = partial(IsolatedHandler, directory=str(arguments.site))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", arguments.port), handler)
    except OSError as error:
        raise Failure(f"port {arguments.port} cannot be used ({error.strerror}); pass --config port=PORT") from error
    print(f"Serving {arguments.site} on http://localhost:{server.server_port}/ (stop with Ctrl-C)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    run(main)
