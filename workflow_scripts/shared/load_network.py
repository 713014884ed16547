"""Load the network with the weights of a checkpoint."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import U2Net, infer_stages


def load_network(weights: Path) -> U2Net:
    """Return the network in evaluation mode, with the safetensors `weights` that read_checkpoint wrote.

    Raises Failure if the file is damaged, or if it holds another network.
    """
    try:
        state = load_file(weights)
        network = U2Net(infer_stages({name: tuple(tensor.shape) for name, tensor in state.items()}))
        # Only the counters of training steps may be absent: inference never reads them.
        missing, unexpected = network.load_state_dict(state, strict=False)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        why = " ".join(str(error).split())[:200]
        raise Failure(f"{weights} does not hold a U²-Net ({why}); delete it and build it again") from error
    if unexpected or not all(name.endswith("num_batches_tracked") for name in missing):
        raise Failure(f"{weights} lacks {missing[:3]} or has unknown {unexpected[:3]}; delete it and build it again")
    return network.eval()
