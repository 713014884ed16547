"""Signatures of releases in the format of OpenSSF Model Signing, made with an ordinary elliptic-curve key.

The files that are signed are those of the site, under their paths in the site. So the `model_signing` command accepts a
copy of the site, and needs nothing of this project.

model_signing is imported where it is needed: it takes half a second, and most releases are not signed.
"""

import tempfile
from pathlib import Path

from workflow_scripts.publish.release import RECORDS
from workflow_scripts.shared.failures import Failure

# A signature lists about a hundred bytes for each file of a site.
SIGNATURE_BYTES = 16 * 1024 * 1024
# What a key file that is no usable key makes the cryptography package raise.
UNUSABLE = (OSError, ValueError, TypeError, AttributeError)


def signature_key(release: str) -> str:
    """Return the key of a release's signature, if it has one. It lies beside the record."""
    return f"{RECORDS}{release}.sig"


def hidden_in(folder: Path) -> list[str]:
    """Return the names of the hidden files directly in a folder: marks of Snakemake and its rules."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def sign(site: Path, private_key: Path) -> bytes:
    """Sign every file of a site. Return the signature, a sigstore bundle as JSON.

    Raises Failure if the key cannot be used. It must be elliptic (P-256, P-384 or P-521), in PEM format, and without a
    password.
    """
    from model_signing import hashing, signing

    files = hashing.Config().set_ignored_paths(paths=hidden_in(site))
    try:
        config = signing.Config().use_elliptic_key_signer(private_key=private_key).set_hashing_config(files)
    except UNUSABLE as error:
        # The message never contains the key itself, which an error's own text may.
        raise Failure(
            f"signing_key {private_key} cannot be used ({type(error).__name__}); it must be an elliptic private key in "
            "PEM format without a password, as docs/publish.md makes one"
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        signature = Path(folder, "release.sig")
        config.sign(site, signature)
        return signature.read_bytes()


def check_signature(copy: Path, signature: bytes, public_key: Path, release: str) -> None:
    """Raise Failure unless the signature was made with the key, and for exactly the files of `copy`.

    `copy` is laid out as the site. `release` is for the message.
    """
    from cryptography.exceptions import InvalidSignature
    from model_signing import verifying

    try:
        config = verifying.Config().use_elliptic_key_verifier(public_key=public_key)
    except UNUSABLE as error:
        raise Failure(
            f"public_key {public_key} cannot be used ({type(error).__name__}); give the signer's elliptic public key "
            "in PEM format"
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "release.sig")
        file.write_bytes(signature)
        try:
            config.verify(copy, file)
        except InvalidSignature:
            problem = "the signature is damaged or made up"
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            said = str(error).splitlines() if isinstance(error, ValueError) else []
            problem = (said or [f"the file is no signature: {type(error).__name__}"])[0][:200].strip(" .")
        else:
            return
    raise Failure(f"release {release} is not signed with the key of {public_key} ({problem}); do not use it")
