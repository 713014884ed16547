"""Pairs of keys, and the command with which anybody checks a signature."""

import subprocess
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def write_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a pair of keys in the form of docs/publish.md's commands. Return the private and the public one."""
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain))
    public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return private, public


def stock_tool(site: Path, signature: Path, public: Path) -> "subprocess.CompletedProcess[str]":
    """Verify a copy of a site with OpenSSF's own command."""
    tool = Path(sys.executable).with_name("model_signing")
    command = [tool, "verify", "key", site, "--signature", signature, "--public_key", public]
    return subprocess.run(command, capture_output=True, text=True)
