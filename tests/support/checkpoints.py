"""Make a U²-Net checkpoint with random weights and calibrated batch norms, for machines without a trained one.

Run in the torch environment: .venvs/torch/bin/python -m tests.support.checkpoints --stages u2net --output full.pth
"""

import argparse
import json
from pathlib import Path

import torch
from torch import nn

from workflow_scripts.predict.probe_photos import probe_photos
from workflow_scripts.shared.drawings import preprocess
from workflow_scripts.shared.u2net import FAMILIES, U2Net, Widths

SEED = 0
# The side of the photos that calibrate batch norms.
RESOLUTION = 512


def calibrated(stages: dict[str, Widths]) -> U2Net:
    """Draw PyTorch's default weights, and set each batch norm's statistics to those of the photos.

    Without calibration the activations of 119 random layers vanish or overflow, and then all backends agree.
    """
    torch.manual_seed(SEED)
    network = U2Net(stages).train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            # A cumulative average over all batches, not an exponential one.
            module.momentum = None
    photos = [preprocess(photo, RESOLUTION) for photo in probe_photos(RESOLUTION).values()]
    with torch.no_grad():
        network(torch.cat([torch.from_numpy(photo) for photo in photos]))
    return network.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stages", required=True, help="u2net, u2netp or JSON: stage to [in, middle, out]")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    known = FAMILIES.get(arguments.stages)
    stages = known or {stage: tuple(widths) for stage, widths in json.loads(arguments.stages).items()}
    torch.save(calibrated(stages).state_dict(), arguments.output)


if __name__ == "__main__":
    main()
