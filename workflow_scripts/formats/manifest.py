"""The record of one resolution: its artifacts, the checks' figures and what they were made with."""

import hashlib
import json
from typing import Any


def own_digest(manifest: dict[str, Any]) -> str:
    """Return the SHA-256 of all that a manifest says, but for what it says of itself."""
    content = {key: value for key, value in manifest.items() if key != "manifest_sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
