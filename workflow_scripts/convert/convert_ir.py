"""Convert the ONNX model of one resolution to OpenVINO IR in FP32."""

import argparse
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing
from workflow_scripts.shared.processes import run_tool


def without_paths(xml: str) -> str:
    """Drop the element in which mo notes its output folder, so that equal models have equal bytes in any folder."""
    return re.sub(r"\s*<output_dir value=\"[^\"]*\" />", "", xml)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file with static shapes")
    parser.add_argument("--xml", type=Path, required=True)
    parser.add_argument("--bin", type=Path, required=True)
    arguments = parser.parse_args(argv)
    arguments.xml.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.xml.parent) as folder:
        xml = Path(folder, "model.xml")
        run_tool(
            "mo",
            f"--input_model={arguments.model}",
            f"--output_dir={folder}",
            "--model_name=model",
            # By default mo halves the weights to FP16 and does not say so.
            "--compress_to_fp16=False",
            expected=xml,
        )
        with replacing(arguments.xml) as staging_xml, replacing(arguments.bin) as staging_bin:
            staging_xml.write_text(without_paths(xml.read_text()))
            xml.with_suffix(".bin").rename(staging_bin)


if __name__ == "__main__":
    run(main)
