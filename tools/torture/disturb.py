"""A run of a project, and all that can be done to it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

#: Seconds after which a run hangs.
HANGS = 1800
#: An error in a line; the bar of a process that was killed may stand before it.
SAID = re.compile(r"(?:^|run/s\]|s/run\])((?:error|ERROR): .*)")
FULL, READ_ONLY, TWICE = "full disk", "read-only results", "two at once"


def processes(folder: Path, word: str = "") -> list[psutil.Process]:
    """All that run in a folder, whoever their parents are; with a word, those that have it in their command."""
    return [one for one in psutil.process_iter(["cmdline", "cwd", "ppid", "status"])
            if one.info["cwd"] and Path(one.info["cwd"]).is_relative_to(folder)
            and one.info["status"] != psutil.STATUS_ZOMBIE and (not word or word in (one.info["cmdline"] or ()))]


class Run:
    """A shell with a command in a project's folder; all that it and its children print is kept in `lines`."""

    def __init__(self, folder: Path, command: str):
        beside = folder.parent / "beside"  # On the project's disk, with all else that is written.
        beside.mkdir(exist_ok=True)
        self.folder, self.command, self.lines = folder, command, []
        environment = os.environ | {
            "PYTHONPATH": str(folder), "TMPDIR": str(beside), "DVC_SITE_CACHE_DIR": str(beside / "dvc"), "TRAIN_THREADS": "1",
            "PYTHONUNBUFFERED": "1", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        # Two commands, so that the shell stays above DVC.
        self.shell = subprocess.Popen(["sh", "-c", f"{command}; exit $?"], cwd=folder, env=environment, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", start_new_session=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        with self.shell.stdout as said:
            for line in said:
                self.lines.append(re.sub(r"\x1b\[[0-9;]*m", "", line).strip())

    def wait(self) -> int:
        """The exit code; subprocess.TimeoutExpired if it hangs."""
        code = self.shell.wait(HANGS)
        self.reader.join(1)  # What it left behind may go on printing.
        return code

    def gone(self) -> None:
        """Wait until no process is left in the folder."""
        while left := processes(self.folder):
            psutil.wait_procs(left, HANGS)

    def stage(self) -> str:
        """The stage that DVC ran last; empty before the first."""
        return next((line.split("'")[1] for line in reversed(self.lines[:]) if line.startswith("Running stage '")), "")

    def message(self) -> str:
        """The first error that was told in a line, else the last line."""
        lines = [line for line in self.lines[:] if line] or [""]
        said = next((found[1] for line in lines if (found := SAID.search(line))), lines[-1])
        return said.replace(f"{self.folder}/", "")[:200]

    def clear(self, silent: bool = False) -> bool:
        """Whether it printed no traceback, and unless it may be silent, said in a line why it ended."""
        lines = self.lines[:]
        return not any("Traceback" in line for line in lines) and (silent or any(map(SAID.search, lines)))


# --- what can be done to a run: kills, and disks, which need mounts --------------------------------

#: What SIGKILL is sent to. After all but the first two nobody is left who could say why.
KILLS: dict[str, Callable[[Run], list[psutil.Process]]] = {
    "kill of the kernel": lambda run: processes(run.folder, "ipykernel_launcher"),
    "kill of the stage": lambda run: [one for one in processes(run.folder) if one.info["ppid"] in {
        dvc.pid for dvc in processes(run.folder, "repro")}],
    "kill of DVC": lambda run: processes(run.folder, "repro"),
    "kill of the shell": lambda run: [psutil.Process(run.shell.pid)],
    "kill of all at once": lambda run: processes(run.folder)}
SILENT = tuple(KILLS)[2:]


def kill(victims: Sequence[psutil.Process]) -> bool:
    """Send SIGKILL; whether there was a process to send it to."""
    for process in victims:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)
    return bool(victims)


def mounts() -> bool:
    """Whether this process may mount: it is in a namespace of its own."""
    return os.environ.get("TORTURE_MOUNTS") == "1"


def with_mounts(command: list[str]) -> list[str]:
    """A command in a namespace in which it may mount, as root or as a person; as it is, where the system allows neither.

    What is mounted there no other process sees, and it is gone when the command ends, however it ends.
    """
    for way in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        with contextlib.suppress(OSError):
            if not subprocess.run([*way, "mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True).returncode:
                return ["env", "TORTURE_MOUNTS=1", *way, *command]
    return command


def kinds() -> list[str]:
    """What can be done here: where nothing can be mounted, no disk is full, and no folder read-only."""
    return [*KILLS, *((FULL, READ_ONLY) if mounts() else ()), TWICE]


@contextlib.contextmanager
def mounted(folder: Path, *ways: Sequence[str]):
    """Something mounted at a folder, by these arguments of `mount`; where that is not allowed, the folder as it is."""
    for way in ways if mounts() else ():
        subprocess.run(["mount", *way, str(folder)], check=True)
    try:
        yield
    finally:
        if mounts():
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def filled(path: Path):
    """A file that takes all that is left of its disk."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65_536))
    try:
        yield
    finally:
        path.unlink()


def strike(run: Run, kind: str) -> Run | None:
    """Do one thing to a run, and wait until it ends; the run whose message counts, None if nothing was left to do it to."""
    if kind == TWICE:
        second = Run(run.folder, run.command)
        second.wait()
        run.wait()
        return second
    if kind in KILLS:
        if not kill(KILLS[kind](run)):
            return None
        run.wait()
    else:
        (results := run.folder / "results").mkdir(exist_ok=True)
        with filled(run.folder.parent / "filler") if kind == FULL else mounted(
                results, ["--bind", str(results)], ["-o", "remount,bind,ro"]):
            run.wait()
            run.gone()
    return run if run.shell.returncode else None


def struck(run: Run, kind: str, seconds: float) -> Run | None:
    """As `strike`, so many seconds after a stage is under way and there is what is to be killed."""
    moment = None
    while run.shell.poll() is None:
        if run.stage() and (kind not in KILLS or KILLS[kind](run)):
            moment = moment or time.monotonic() + seconds
            if time.monotonic() >= moment:
                return strike(run, kind)
        time.sleep(0.02)
    return None
