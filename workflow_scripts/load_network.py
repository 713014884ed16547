"""The network with a checkpoint's weights, as the other scripts take it."""

from pathlib import Path

from safetensors.torch import load_file
from u2net import U2Net, infer_stages


def load_network(weights: Path) -> U2Net:
    """Return the network in evaluation mode with the safetensors `weights` that read_checkpoint wrote."""
    state = load_file(weights)
    network = U2Net(infer_stages({name: tuple(tensor.shape) for name, tensor in state.items()}))
    # Only the counters of training steps, which inference never reads, may be absent.
    missing, unexpected = network.load_state_dict(state, strict=False)
    if unexpected or not all(name.endswith("num_batches_tracked") for name in missing):
        raise ValueError(f"{weights} lacks {missing} or has unknown {unexpected}")
    return network.eval()
