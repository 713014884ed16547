"""A real S3 server on loopback, until standard input is closed. Its identities have the policies of deploy/.

Run it in the publish environment. It prints the endpoint once the bucket exists. The secret key of an identity is its
name with "-secret" at the end.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Each test publishes below a prefix of its own.
BUCKET, PREFIX = "site", "portraits/*"
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SECONDS_TO_START = 60


def policy(name: str) -> str:
    """Read one policy of deploy/ for the bucket and prefix of the tests."""
    return (DEPLOY / f"{name}-policy.json").read_text().replace("BUCKET", BUCKET).replace("PREFIX", PREFIX)


def identities() -> dict[str, list[dict[str, object]]]:
    """Return the server's configuration: an administrator, the two roles of deploy/, and one without any right."""

    def identity(name: str, **rights: object) -> dict[str, object]:
        return {"name": name, "credentials": [{"accessKey": name, "secretKey": f"{name}-secret"}], **rights}

    roles = ("publisher", "pruner")
    return {
        "identities": [
            identity("admin", actions=["Admin"]),
            identity("nobody", actions=[]),
            *(identity(role, actions=[], policyNames=[role]) for role in roles),
        ],
        "policies": [{"name": role, "content": policy(role)} for role in roles],
    }


def free_ports(count: int) -> list[int]:
    """Find free ports of loopback."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def start(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """Start the server in a folder of its own. Return the process and the endpoint."""
    (folder / "data").mkdir()
    (folder / "identities.json").write_text(json.dumps(identities()))
    services = ("master", "volume", "filer", "s3")
    ports = free_ports(2 * len(services))
    options = [
        option
        for service, port, grpc in zip(services, ports[::2], ports[1::2], strict=True)
        for option in (f"-{service}.port={port}", f"-{service}.port.grpc={grpc}")
    ]
    command = [
        str(Path(sys.executable).with_name("weed")),
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        f"-filer.localSocket={folder / 'filer'}",
        "-s3",
        f"-s3.localSocket={folder / 's3'}",
        f"-s3.config={folder / 'identities.json'}",
        # As on AWS, the bucket decides who may read.
        "-s3.allowedOrigins=none",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=60",
        *options,
    ]
    log = (folder / "log").open("wb")
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    return server, f"http://127.0.0.1:{ports[-2]}"


def client(endpoint: str, name: str) -> "boto3.client":
    """Return a client of one identity."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=name,
        aws_secret_access_key=f"{name}-secret",
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def prepare(endpoint: str) -> None:
    """Create a bucket that everyone may read, as soon as the server is ready."""
    admin = client(endpoint, "admin")
    for _ in range(2 * SECONDS_TO_START):
        try:
            admin.create_bucket(Bucket=BUCKET)
            admin.put_object(Bucket=BUCKET, Key="ready", Body=b"")
            break
        except (BotoCoreError, ClientError):
            time.sleep(0.5)
    else:
        sys.exit(f"the S3 server did not start within {SECONDS_TO_START} s")
    admin.put_bucket_policy(Bucket=BUCKET, Policy=policy("public-read"))


def main() -> None:
    # A short path, because the paths of sockets must be short.
    with tempfile.TemporaryDirectory(prefix="s3-") as folder:
        server, endpoint = start(Path(folder))
        try:
            prepare(endpoint)
            print(endpoint, flush=True)
            sys.stdin.read()
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
