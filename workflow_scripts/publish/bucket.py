"""One prefix of an S3 bucket: timeouts and retries, a checksum on every body, a clear line for every failure."""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from workflow_scripts.shared.failures import Failure

ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9/_.-]*))?")
# Parallel requests: enough to use the whole bandwidth. botocore keeps ten connections.
PARALLEL = 8
# AWS answers 409 if two conditional writes overlap, and 404 if the object to be replaced is gone. As after a 412, the
# object may have changed.
LOST = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}
ABSENT = {"NoSuchKey", "404", "NotFound"}
ALTERED = "what arrived has another checksum than what was sent; something on the way alters it"
REASONS = {
    "SignatureDoesNotMatch": "the secret key does not belong to the access key; check the AWS credentials in use",
    "InvalidAccessKeyId": "the access key is not known there; check the AWS credentials in use",
    "InvalidToken": "the session token is not valid; sign in again",
    "ExpiredToken": "the session token has expired; sign in again",
    "AccessDenied": "these credentials do not allow it; compare their policy with deploy/",
    "403": "these credentials do not allow it; compare their policy with deploy/",
    "NoSuchBucket": "there is no such bucket; check the address, or create it as docs/publish.md shows",
    "RequestTimeTooSkewed": "this machine's clock is wrong by more than 15 minutes; set it",
    "BadDigest": ALTERED,
    "XAmzContentSHA256Mismatch": ALTERED,
    "XAmzContentChecksumMismatch": ALTERED,
    "PermanentRedirect": "the bucket is in another region; set AWS_REGION to it",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set AWS_REGION to it",
}


@dataclass(frozen=True)
class Listed:
    """One object as a listing shows it."""

    bytes: int
    modified: datetime


@dataclass(frozen=True)
class Stored:
    """One object's headers: ETag, SHA-256 of the stored bytes (None if it was stored without one), own metadata."""

    etag: str
    sha256: str | None
    metadata: dict[str, str]


def reason(error: ClientError) -> str:
    """Say what a server's refusal means."""
    code = error.response["Error"]["Code"]
    return REASONS.get(code, f"the server answered {code}: {error.response['Error'].get('Message', 'no reason given')}")


class Bucket:
    """The objects below one prefix; keys are relative to it."""

    def __init__(self, address: str, endpoint: str | None) -> None:
        """Take s3://name/prefix and the endpoint of a server that is not AWS.

        Credentials and region are those of the standard AWS chain: environment, profile, role.
        """
        match = ADDRESS.fullmatch(address)
        if match is None:
            raise Failure(f"{address} is not a bucket's address; write s3://name or s3://name/prefix")
        self.name: str = match[1]
        prefix = (match[2] or "").strip("/")
        self.prefix = f"{prefix}/" if prefix else ""
        config = Config(
            connect_timeout=10,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 5},
            # Servers other than AWS rarely have a host name for each bucket.
            s3={"addressing_style": "path" if endpoint else "auto"},
        )
        try:
            self.client: Any = boto3.client("s3", endpoint_url=endpoint, config=config)
        except (BotoCoreError, ValueError) as error:
            raise Failure(f"{address} cannot be used: {error}") from error

    def address(self, key: str = "") -> str:
        """Return the s3:// address of a key."""
        return f"s3://{self.name}/{self.prefix}{key}"

    @contextmanager
    def _asking(self, what: str, key: str = "") -> Iterator[None]:
        """Turn an error of a request into one clear line."""
        subject = f"cannot {what} {self.address(key)}"
        try:
            yield
        except ClientError as error:
            raise Failure(f"{subject}: {reason(error)}") from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise Failure(
                f"{subject}: no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or a role"
            ) from error
        except (ConnectionError, HTTPClientError) as error:
            raise Failure(
                f"{subject}: no whole answer from the server ({error}); check the endpoint and the connection, "
                "and run the same command again"
            ) from error
        except BotoCoreError as error:
            raise Failure(f"{subject}: {error}") from error

    def objects(self) -> dict[str, Listed]:
        """List every object below the prefix. Call it first: unlike a HEAD request, a refused listing says why."""
        found = {}
        with self._asking("list"):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix)
            for page in pages:
                for entry in page.get("Contents", []):
                    key = entry["Key"].removeprefix(self.prefix)
                    found[key] = Listed(entry["Size"], entry["LastModified"])
        return found

    def head(self, key: str) -> Stored | None:
        """Return the headers of an object that was listed, or None if it is gone.

        The object must have been listed before: AWS answers 403, not 404, for an object that never existed, if the
        credentials allow to list this prefix only.
        """
        with self._asking("look at", key):
            try:
                answer = self.client.head_object(Bucket=self.name, Key=self.prefix + key, ChecksumMode="ENABLED")
            except ClientError as error:
                if error.response["Error"]["Code"] in ABSENT:
                    return None
                raise
        checksum = answer.get("ChecksumSHA256")
        return Stored(
            answer["ETag"], base64.b64decode(checksum).hex() if checksum else None, answer.get("Metadata", {})
        )

    def get(self, key: str) -> bytes:
        """Return an object's stored bytes."""
        with self._asking("read", key):
            content: bytes = self.client.get_object(Bucket=self.name, Key=self.prefix + key)["Body"].read()
        return content

    def get_with_headers(self, key: str, limit: int) -> tuple[bytes, dict[str, str], dict[str, str]]:
        """Return an object's stored bytes (at most `limit`), its headers in lower case, and its own metadata."""
        with self._asking("read", key):
            answer = self.client.get_object(Bucket=self.name, Key=self.prefix + key)
            content: bytes = answer["Body"].read(limit)
        headers = {name.lower(): str(value) for name, value in answer["ResponseMetadata"]["HTTPHeaders"].items()}
        return content, headers, answer.get("Metadata", {})

    def put(
        self, key: str, body: bytes, headers: dict[str, str], condition: dict[str, str], metadata: dict[str, str]
    ) -> bool:
        """Store `body` with its SHA-256, which the server checks. Return whether `condition` allowed it."""
        with self._asking("write", key):
            try:
                self.client.put_object(
                    Bucket=self.name,
                    Key=self.prefix + key,
                    Body=body,
                    ChecksumSHA256=base64.b64encode(hashlib.sha256(body).digest()).decode(),
                    Metadata=metadata,
                    **headers,
                    **condition,
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in LOST:
                    return False
                raise
        return True

    def delete(self, keys: Iterable[str]) -> None:
        """Delete at most 1000 objects."""
        listed = [{"Key": self.prefix + key} for key in keys]
        with self._asking("delete below"):
            answer = self.client.delete_objects(Bucket=self.name, Delete={"Objects": listed, "Quiet": True})
        for error in answer.get("Errors", []):
            why = REASONS.get(error["Code"], error.get("Message", error["Code"]))
            raise Failure(f"cannot delete s3://{self.name}/{error['Key']}: {why}")

    def set_cors(self, origins: list[str]) -> None:
        """Allow pages of these origins, and no others, to read the whole bucket."""
        rule = {"AllowedOrigins": origins, "AllowedMethods": ["GET", "HEAD"], "MaxAgeSeconds": 3600}
        with self._asking("set the CORS rules of"):
            if origins:
                self.client.put_bucket_cors(Bucket=self.name, CORSConfiguration={"CORSRules": [rule]})
            else:
                self.client.delete_bucket_cors(Bucket=self.name)
