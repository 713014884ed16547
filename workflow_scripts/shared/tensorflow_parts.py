"""Parts of TensorFlow without its public interface, whose import takes most of the time of `import tensorflow`.

Import this module before any part. `import tensorflow` takes 2.4 s of CPU time with envs/tensorflow.txt, the parts that
run a graph take 0.8 s, and the messages of a graph take 0.1 s.
"""

import importlib.util
import os
import sys
from types import ModuleType

# Read when TensorFlow is imported: graphs are rewritten, run and checked on the CPU, quietly.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def stand_in() -> ModuleType:
    """Return the package `tensorflow`, imported already or not yet run: its parts can be imported in both cases."""
    if "tensorflow" not in sys.modules:
        spec = importlib.util.find_spec("tensorflow")
        if spec is None:
            raise ModuleNotFoundError("this environment has no TensorFlow")
        sys.modules["tensorflow"] = importlib.util.module_from_spec(spec)
    return sys.modules["tensorflow"]


def import_whole() -> None:
    """Import the public interface, too. Code of others needs it: `import tensorflow` alone would find the stand-in."""
    package = stand_in()
    if not hasattr(package, "__version__") and package.__spec__ and package.__spec__.loader:
        package.__spec__.loader.exec_module(package)


stand_in()
