"""A run of a project, and all that can be done to it."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from tools.torture.project import environment

#: Seconds after which a run that does not end counts as one that hangs.
HANGS = 1800
#: A full disk has less than so many bytes left.
LEFT = 65_536
#: What a program says when it says it in a line; before it may stand the bar of a process that was killed.
SAID = re.compile(r"(?:^|run/s\]|s/run\])((?:error|ERROR): .*)")


def processes(folder: Path) -> list[psutil.Process]:
    """All processes that run in a folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


class Run:
    """A shell with the project's command; all that it and its children write is kept in `lines`."""

    def __init__(self, folder: Path, command: str):
        self.folder, self.command, self.lines = folder, command, []
        self.began = time.monotonic()
        # Two commands, so that the shell stays above DVC.
        self.shell = subprocess.Popen(["sh", "-c", f"{command}; exit $?"], cwd=folder, env=environment(folder), text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                                      start_new_session=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        with self.shell.stdout as said:
            for line in said:
                self.lines.append(line.rstrip("\n"))

    def until(self, moment: float, ready: Callable[[], object] = lambda: True):
        """Wait so many seconds, and on until `ready` gives something, which is returned; None if the run ends before."""
        while self.shell.poll() is None:
            if time.monotonic() - self.began >= moment and (found := ready()):
                return found
            time.sleep(0.02)
        return None

    def wait(self) -> int:
        """The exit code of the shell; what it said is read, but for what those say that outlive it."""
        try:
            code = self.shell.wait(HANGS)
        except subprocess.TimeoutExpired:
            self.lines.append(f"error: it did not end in {HANGS} seconds")
            kill([psutil.Process(self.shell.pid), *self.processes()])
            code = self.shell.wait()
        self.reader.join(1)
        return code

    def processes(self) -> list[psutil.Process]:
        """All that run in the project's folder, whoever their parents are by now."""
        return processes(self.folder)

    def named(self, word: str) -> list[psutil.Process]:
        """Of these, those with a word in their command line, but for the shell."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if process.pid != self.shell.pid and any(word in part for part in process.cmdline()):
                    found.append(process)
        return found

    def gone(self) -> None:
        """Wait until no process of the project is left."""
        end = time.monotonic() + HANGS
        while self.processes():
            if time.monotonic() > end:
                raise TimeoutError(f"{self.command}: processes do not end: {self.processes()}")
            time.sleep(0.1)

    def stage(self) -> str:
        """The stage that DVC ran last; empty before the first."""
        found = [line.split("'")[1] for line in list(self.lines) if line.startswith("Running stage '")]
        return found[-1] if found else ""

    def message(self) -> str:
        """The first error that was told in a line, else the last line; without what differs from place to place."""
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in list(self.lines)]
        lines = [line for line in lines if line]
        said = next((found[1] for line in lines if (found := SAID.search(line))), lines[-1] if lines else "")
        return re.sub(r"PID \d+", "PID …", said.replace(f"{self.folder}/", ""))[:200]

    def clear(self) -> bool:
        """Whether the run said in a line why it ended, and printed no traceback."""
        return any(SAID.search(line.strip()) for line in list(self.lines)) and not self.traceback()

    def traceback(self) -> bool:
        """Whether it told a person about its code."""
        return any("Traceback" in line for line in list(self.lines))


# --- kills: of what, and when there is one -----------------------------------------------------

def kernel(run: Run) -> list[psutil.Process]:
    """The kernel that a lab record is executed in."""
    return run.named("ipykernel_launcher")


def stage(run: Run) -> list[psutil.Process]:
    """The process of a stage, which DVC started."""
    with contextlib.suppress(psutil.Error):
        return [one for process in dvc(run) for one in process.children()][:1]
    return []


def dvc(run: Run) -> list[psutil.Process]:
    """DVC itself."""
    with contextlib.suppress(psutil.Error):
        return [process for process in run.named("/dvc") if "repro" in process.cmdline()][:1]
    return []


def shell(run: Run) -> list[psutil.Process]:
    """The shell above DVC, which goes on without it."""
    return [psutil.Process(run.shell.pid)]


def everything(run: Run) -> list[psutil.Process]:
    """All at once, as when the power fails."""
    return run.processes()


KILLS = {"kill of the kernel": kernel, "kill of the stage": stage, "kill of DVC": dvc, "kill of the shell": shell,
         "kill of all at once": everything}
#: After these nobody is left who could say why.
SILENT = ("kill of DVC", "kill of the shell", "kill of all at once")
FULL, READ_ONLY, TWICE = "full disk", "read-only results", "two at once"
KINDS = (*KILLS, FULL, READ_ONLY, TWICE)


def kill(victims: list[psutil.Process]) -> None:
    """SIGKILL, which no process can answer."""
    for process in victims:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)


# --- disks: with mounts of our own, or what comes nearest ----------------------------------------

def mounts() -> bool:
    """Whether this process may mount: it is in a namespace of its own."""
    return os.environ.get("TORTURE_MOUNTS") == "1"


def with_mounts(command: list[str]) -> list[str] | None:
    """A command in a namespace in which it may mount, as root or as a person whose system allows it; None if not.

    What is mounted there is seen by no other process, and is gone when it ends, however it ends.
    """
    for way in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        with contextlib.suppress(OSError):
            if not subprocess.run([*way, "mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True).returncode:
                return [*way, *command]
    return None


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A small disk of its own at a folder, where mounts are allowed; else the folder as it is."""
    if mounts():
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)], check=True)
    try:
        yield
    finally:
        if mounts():
            subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Make a file that leaves next to nothing of its disk, on which others write at the same time."""
    with open(path, "wb") as file:
        while (room := (about := os.statvfs(path)).f_bavail * about.f_frsize) > LEFT:
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size + (room + LEFT) // 2)


@contextlib.contextmanager
def full_disk(run: Run) -> Iterator[None]:
    """No more can be written: the disk that the project is on is full; without mounts, no file may grow."""
    filler = run.folder.parent / "filler"
    if mounts():
        fill(filler)
    else:
        for process in run.processes():
            with contextlib.suppress(psutil.Error, OSError):
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
    try:
        yield
    finally:
        filler.unlink(missing_ok=True)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be made, changed or removed: a mount of its own, or else permission bits."""
    folder.mkdir(parents=True, exist_ok=True)
    if mounts():
        subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
    else:
        modes = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")] if path.is_dir()}
        for path, mode in modes.items():
            path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        if mounts():
            subprocess.run(["umount", "-l", str(folder)], check=True)
        else:
            for path, mode in modes.items():
                path.chmod(mode)


def ways() -> dict[str, str]:
    """How a disk is filled, and results are made read-only, here; empty where that cannot be done."""
    if mounts():
        return {FULL: "a tmpfs that is full", READ_ONLY: "a mount that is read-only"}
    return {FULL: "RLIMIT_FSIZE of 0" if sys.platform == "linux" else "",
            READ_ONLY: "permission bits" if os.geteuid() else ""}
