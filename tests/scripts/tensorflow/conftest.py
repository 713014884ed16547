"""A network small enough for every converter: one convolution, a ReLU, a sigmoid."""

import os

# Before TensorFlow is imported anywhere: these graphs are small, and its start-up is most of the time.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
