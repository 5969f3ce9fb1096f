"""Rounds: a project is run from nothing to the end, and disturbed on the way; then its files are compared."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline.config.errors import ConfigError
from tools.torture import disturb
from tools.torture.disturb import FULL, KILLS, READ_ONLY, SILENT, TWICE, Run
from tools.torture.project import TIMINGS, Leg, differing, files, partial

#: So often in a row a run may fail by itself before it counts as one that does not go on.
TRIES = 3
#: Said by a run that finds another one at work, which is no failure to go on: it is run again.
BUSY = ("Unable to acquire lock", "is busy")


@dataclass(frozen=True)
class Disturbance:
    """A row of the outcome; see `spec.tables.DISTURBANCE_COLUMNS`."""

    round: int
    kind: str
    moment: float
    stage: str
    message: str
    clear: bool
    whole: bool
    went_on: bool = False
    equal: bool = False


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody disturbed.

    Attributes:
        files: as `project.files` gives them.
        seconds: of each leg.
        timings: the folder of what its training took, which the book shows.
    """

    files: dict[str, str]
    seconds: tuple[float, ...]
    timings: Path


def undisturbed(template: Path, folder: Path, legs: Sequence[Leg], timings: Path) -> Undisturbed:
    """Run a copy of a project once.

    Raises:
        ConfigError: it fails by itself.
    """
    shutil.copytree(template, folder)
    seconds = []
    for leg in legs:
        run = Run(folder, leg.command)
        if run.wait():
            print(*run.lines, sep="\n")
            raise ConfigError(f"{leg.command}: it fails without a disturbance: {run.message()}")
        seconds.append(time.monotonic() - run.began)
    if (folder / TIMINGS).exists():
        shutil.copytree(folder / TIMINGS, timings)
    found = files(folder)
    shutil.rmtree(folder)
    return Undisturbed(found, tuple(seconds), timings)


def disturb_run(run: Run, kind: str) -> Run | None:
    """Do one thing to a run; the run whose message counts, or None if there was nothing left to do it to."""
    if kind in KILLS:
        victims = KILLS[kind](run)
        if not victims or run.shell.poll() is not None:
            return None
        disturb.kill(victims)
        run.wait()
        return run
    if kind == TWICE:
        second = Run(run.folder, run.command)
        second.wait()
        run.wait()
        return second
    with disturb.full_disk(run) if kind == FULL else disturb.read_only(run.folder / "results"):
        run.wait()
        run.gone()
    return run


class Round:
    """One project, from nothing to the end, and what is done to it on the way."""

    def __init__(self, number: int, folder: Path, reference: Undisturbed, generator: random.Random,
                 shown: Callable[[Disturbance], None]):
        self.number, self.folder, self.reference = number, folder, reference
        self.generator, self.shown = generator, shown
        self.done: list[Disturbance] = []

    def leg(self, leg: Leg, seconds: float, waiting: list[str]) -> bool:
        """Run a leg until it succeeds; whether it did. What is done to it is taken out of `waiting`.

        Args:
            seconds: that it takes undisturbed.
        """
        mine = [kind for kind in waiting if leg.kernel or kind != "kill of the kernel"][:leg.disturbances]
        mine.sort(key=lambda kind: kind == TWICE)  # Of two, the first one ends the leg.
        tries = 0
        while tries < TRIES:
            run = Run(self.folder, leg.command)
            struck = self._struck(run, mine[0], 2 * seconds / leg.disturbances) if mine else False
            if struck:
                waiting.remove(kind := mine.pop(0))
                tries = 0
                if kind == TWICE and not run.shell.returncode:
                    return True
            elif not run.wait():
                return True
            elif any(word in line for word in BUSY for line in run.lines):
                # Of a shell that was killed, DVC lives on: it is to finish first.
                self._note(message=run.message(), clear=run.clear())
                run.gone()
                tries += 1
            else:
                tries += 1
                self._note(went_on=False, message=f"then: {run.message()}")
        return False

    def _struck(self, run: Run, kind: str, most: float) -> bool:
        """Disturb a run, up to so many seconds after a stage is under way and there is what is to be killed; whether
        the run was still there."""
        share = self.generator.random()
        victims = KILLS.get(kind, lambda run: True)
        if not run.until(0, lambda: run.stage() and victims(run)) or not run.until(
                time.monotonic() - run.began + share * most, lambda: victims(run)):
            return False
        stage = run.stage()
        said = disturb_run(run, kind)
        if said is None or (kind != TWICE and not run.shell.returncode):
            return False  # It had ended, or had nothing more to write.
        clear = not said.traceback() if kind in SILENT or not said.shell.returncode else said.clear()
        self.done.append(Disturbance(
            self.number, kind, round(share * most, 2), stage, said.message(), clear,
            not partial(self.folder, self.reference.files), went_on=kind != TWICE or not run.shell.returncode))
        self.shown(self.done[-1])
        return True

    def _note(self, **changes) -> None:
        """Add to the last disturbance what the run after it said."""
        if self.done:
            self.done[-1] = replace(self.done[-1], **changes)

    def end(self) -> list[Disturbance]:
        """Compare all files with those of the undisturbed run."""
        other = differing(self.folder, self.reference.files)
        for name in other:
            print(f"round {self.number}: not as in the undisturbed run: {name}", flush=True)
        return [replace(one, equal=not other) for one in self.done]


def played(template: Path, legs: Sequence[Leg], kinds: list[str], this: Round, seconds: list[float]) -> list[Disturbance]:
    """The disturbances of a round.

    Args:
        kinds: what is to happen, in this order, as long as there is a run to do it to.
        seconds: that each leg takes; shortened where a leg was over before its first moment, as on a machine that has
            become less busy.
    """
    shutil.copytree(template, this.folder)
    for number, leg in enumerate(legs):
        began, before = time.monotonic(), len(this.done)
        if not this.leg(leg, seconds[number], kinds):
            break
        if len(this.done) == before:
            seconds[number] = min(seconds[number], time.monotonic() - began)
        if this.reference.timings.exists():
            shutil.rmtree(this.folder / TIMINGS, ignore_errors=True)
            shutil.copytree(this.reference.timings, this.folder / TIMINGS)
    found = this.end()
    shutil.rmtree(this.folder)
    return found


def rounds(work: Path, make: Callable[[Path], None], legs: Sequence[Leg], kinds: Sequence[str], moments: int, seed: int,
           shown: Callable[[Disturbance], None] = lambda one: None) -> tuple[Undisturbed, list[dict]]:
    """The undisturbed run, and so many disturbances, as rows.

    Args:
        work: an empty folder.
        make: makes the project in a folder.
        seed: of all that is drawn.

    Raises:
        ConfigError: the project fails undisturbed.
        RuntimeError: its runs are too short to be disturbed.
    """
    template, folder = work / "template", work / "project"
    make(template)
    generator, found, number = random.Random(seed), [], 0
    # Seeds decide kinds and shares; what a second is worth, the machine does.
    try:
        reference = undisturbed(template, folder, legs, work / "timings")
        seconds = list(reference.seconds)
        while len(found) < moments:
            number += 1
            if number > 2 * moments + 5:
                raise RuntimeError(f"only {len(found)} of {moments} disturbances in {number} rounds: runs end before their moment")
            deck = [kinds[i % len(kinds)] for i in range(sum(leg.disturbances for leg in legs))]
            generator.shuffle(deck)
            this = Round(number, folder, reference, generator, shown)
            found += [asdict(one) for one in played(template, legs, deck[:moments - len(found)], this, seconds)]
    finally:
        disturb.kill(disturb.processes(folder))  # Of a run that was interrupted.
    return reference, found
