"""How far training has come, for whoever looks at a terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from tqdm import tqdm

from pipeline.tables.store import Store

#: Seconds between two looks at the store.
EVERY = 0.5


class Progress:
    """A bar of the runs that are to be trained; those that are finished are counted in the store.

    What is no terminal gets a line instead, so that a log is no list of bars.
    """

    def __init__(self, experiments: Iterable[str], total: int, store: Store, stream):
        names = list(dict.fromkeys(experiments))
        label = names[0] if len(names) == 1 else f"{len(names)} experiments"
        self.store, self.total, self.before = store, total, store.count()
        self.bar = tqdm(total=total, unit="run", desc=label, file=stream, disable=None if stream else True)
        if self.bar.disable and stream:
            print(f"{label}: {total} runs to train", file=stream, flush=True)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._draw, daemon=True)

    def _draw(self) -> None:
        while not self.stop.wait(EVERY):
            self.bar.n = min(self.total, self.store.count() - self.before)
            self.bar.refresh()

    def __enter__(self):
        if not self.bar.disable:
            self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stop.set()
        if self.thread.is_alive():
            self.thread.join()
        if kind is None:
            self.bar.n = self.total
        self.bar.close()
