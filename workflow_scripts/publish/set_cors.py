"""Allow pages of the configured origins, and no others, to read the bucket. The bucket's owner runs this once."""

import argparse
from collections.abc import Sequence

from workflow_scripts.publish.bucket import Bucket
from workflow_scripts.shared.failures import run


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True, help="s3://name/prefix; the rules hold for the whole bucket")
    parser.add_argument("--endpoint", help="URL of an S3 server other than AWS")
    parser.add_argument(
        "--origins", nargs="*", required=True, help="such as https://example.org; none removes the rules"
    )
    arguments = parser.parse_args(argv)
    Bucket(arguments.bucket, arguments.endpoint).set_cors(arguments.origins)
    print(f"origins that may read {arguments.bucket}: {', '.join(arguments.origins) or 'none but its own'}")


if __name__ == "__main__":
    run(main)
