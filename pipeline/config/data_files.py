"""What an entry under `data:` may say of a file of one's own: a table, a series or recordings."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from pipeline.config.errors import Spec, nearest, shown

#: No rows, steps or windows beyond these were meant, and no predictions of later rows.
LARGEST, FARTHEST = 10_000_000, 10_000
Count = Annotated[int, Field(ge=1, le=LARGEST)]
#: A part of a path is no longer on any disk.
LONGEST_NAME = 200
#: Text with rows and columns, plain and packed; all files with rows and named columns; those with whole recordings.
PACKED = (".gz", ".xz", ".zip")
TEXT = tuple(kind + packed for kind in (".csv", ".tsv", ".txt") for packed in ("", *PACKED))
COLUMNS = (*TEXT, ".parquet", ".feather", ".xlsx", ".json", ".jsonl", ".npy", "/")
ARRAYS = (".npz", ".ts")
SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def ends(file: str, suffixes: tuple[str, ...]) -> bool:
    """Whether a file's name ends in one of some suffixes, in letters of any size; a folder's in `/`."""
    return file.lower().endswith(suffixes)


class Sizes(Spec):
    """How many rows, windows or recordings the parts of a split have: a count, or a share of all."""

    train: int | float | None = None
    validation: int | float | None = None
    test: int | float | None = None

    @pydantic.field_validator("*")
    @classmethod
    def _is_a_count_or_a_share(cls, size: int | float | None):
        if size is None or (isinstance(size, int) and 1 <= size <= LARGEST) or (isinstance(size, float) and 0 < size < 1):
            return size
        raise ValueError(f"found {shown(size)}; allowed: a whole number from 1, or a share between 0 and "
                         f"1; at most {LARGEST}")


class FileSource(Spec):
    """What entries of all kinds of files may say."""

    #: What a message calls entries of this kind.
    NAME: ClassVar[str] = ""

    #: A path relative to the project, of a folder with files of recordings `folder/`; or an https address, which
    #: needs its `sha256`.
    file: str
    sha256: str | None = None
    #: The column that is to be predicted, or several of numbers.
    target: str | Annotated[list[str], Field(min_length=1)] | None = None
    #: What the target is; without it: classes if it is words or few whole numbers.
    task: Literal["classes", "regression"] | None = None
    #: The input columns, all others by default; or those of the others that are no inputs.
    inputs: Annotated[list[str], Field(min_length=1)] | None = None
    leave_out: list[str] = []
    #: A column; rows with the same value in it never stand in two parts of a split.
    group_by: str | None = None
    #: What is done about missing values, of all columns or by column; without it they are refused.
    #: `drop`: what touches one is left out and counted; `{carry: 3}`: the last value known stays for
    #: up to three steps, and what touches a longer gap is left out.
    missing: str | dict[str, str | int | dict[str, int]] = {}
    #: Words that mean a missing value, beside an empty cell.
    missing_as: list[str] = []
    #: How text is written: what parts columns and decimals, its encoding if that is not UTF-8 or said by its first
    #: bytes, and how many lines stand above the columns' names.
    separator: Literal[",", ";", "\t", "|"] | None = None
    decimal: Literal[".", ","] = "."
    encoding: str | None = None
    skip_lines: Annotated[int, Field(ge=0, le=1_000)] = 0
    #: Columns whose numbers have signs beside them: `$1,204.50`, `12 %`, `7.3 kg`, `1.5M`.
    as_numbers: list[str] = []
    #: At most so many rows or recordings are used; how they are chosen says each kind.
    rows: Count | None = None
    split: Sizes = Sizes()
    #: A reader's own, of which all is used that the entry does not limit.
    own: bool = False

    #: The suffixes of files of this kind.
    _SUFFIXES = COLUMNS[:-1]

    @pydantic.field_validator("file")
    @classmethod
    def _can_be_read(cls, file: str) -> str:
        suffixes = cls._SUFFIXES.default
        if not ends(file, suffixes):
            end = "".join(PurePosixPath(file).suffixes[-2:]) or "nothing"
            plain = [suffix for suffix in suffixes if not suffix.endswith(PACKED)]
            raise ValueError(f"found '{file}', which ends in {end}; allowed: a file that ends in {', '.join(plain)}, text "
                             f"also in {', '.join(PACKED)}{nearest(end, suffixes)}")
        if not file.isprintable() or max(len(part.encode()) for part in file.split("/")) > LONGEST_NAME:
            raise ValueError(f"found {shown(file)}; allowed: names of at most {LONGEST_NAME} bytes that can be printed")
        if not _is_address(file) and (file.startswith("/") or ".." in file.split("/")):
            raise ValueError(f"found '{file}'; allowed: a path inside the project, or an https address with its sha256")
        return file

    @pydantic.field_validator("sha256")
    @classmethod
    def _is_a_hash(cls, found: str | None) -> str | None:
        if found is not None and not SHA256.match(found):
            raise ValueError(f"found '{found}'; allowed: 64 digits of 0 to 9 and a to f")
        return found

    @pydantic.field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, found: str | None) -> str | None:
        try:
            "".encode(found or "utf-8")
        except (LookupError, ValueError, UnicodeError):
            raise ValueError(f"found {shown(found)}; allowed: an encoding of text, such as cp1252 or utf-16") from None
        return found

    @pydantic.field_validator("missing")
    @classmethod
    def _is_a_policy(cls, missing):
        by_column = missing if isinstance(missing, dict) and not is_carry(missing) else {"": missing}
        for column, policy in by_column.items():
            if policy != "drop" and not is_carry(policy):
                place = f"{column}: " if column else ""
                raise ValueError(f"{place}found {shown(policy)}; allowed: drop, or {{carry: 3}}: a "
                                 f"whole number of steps from 1 to {LARGEST}")
        return missing

    @pydantic.model_validator(mode="before")
    @classmethod
    def _knows_its_keys(cls, entry):
        for key in entry if isinstance(entry, dict) else ():
            if key not in cls.model_fields:
                # A misspelt `window` leaves a table: the word may be one of another kind.
                kinds = FileSource.__subclasses__()
                other = next((kind.NAME for kind in kinds if key in kind.model_fields), None)
                words = [*cls.model_fields, *(word for kind in kinds for word in kind.model_fields)]
                hint = f"; '{key}' belongs to {other}" if other else nearest(key, dict.fromkeys(words))
                raise ValueError(f"unknown key '{key}'; allowed: {', '.join(cls.model_fields)}{hint}")
        return entry

    @pydantic.model_validator(mode="after")
    def _fits_together(self):
        if _is_address(self.file) and self.sha256 is None:
            raise ValueError(f"file: '{self.file}' is fetched; it needs its sha256, 64 hexadecimal "
                             "digits, which say that it is still the same file")
        if self.target is None and ends(self.file, COLUMNS) and not self.file.endswith("/"):
            raise ValueError("target: missing; it is required: the column that is to be predicted")
        if len(self.targets) > 1 and self.task == "classes":
            raise ValueError("task: found classes beside several targets; allowed: regression, because "
                             "several targets are numbers")
        for key in ("target", "group_by", "time", "recording"):
            if getattr(self, key, None) in ("", []):
                raise ValueError(f"{key}: found an empty word; allowed: the name of a column")
        for role in ("target", "inputs", "leave_out", "as_numbers", "categories"):
            names = listed(getattr(self, role, None))
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"{role}: '{name}' stands twice; a column may stand once")
        inputs = self.inputs or []
        for name in (*self.leave_out, *self.no_inputs()):
            if name in inputs:
                raise ValueError(f"inputs: '{name}' is {self._role_of(name)}, and cannot be an input")
        if self.inputs and self.leave_out:
            raise ValueError("leave_out: found beside inputs; allowed: one of the two")
        return self

    @property
    def targets(self) -> list[str]:
        """The columns that are to be predicted."""
        return listed(self.target)

    def no_inputs(self) -> list[str]:
        """The columns that say something else than an input; of a series, the target's past is one."""
        return [name for key in _ROLES if key != "target" or not getattr(self, "horizon", 0)
                for name in listed(getattr(self, key, None))]

    def _role_of(self, name: str) -> str:
        return next((role for key, role in _ROLES.items() if name in listed(getattr(self, key, None))), "left out")

    def carried(self, column: str) -> int | None:
        """Over how many steps a column's last value is carried forward; None: a gap is refused."""
        policy = self.missing if not isinstance(self.missing, dict) or is_carry(self.missing) else (
            self.missing.get(column))
        return policy["carry"] if isinstance(policy, dict) else None if policy is None else 0

    @property
    def origin(self) -> str:
        """Where the data come from."""
        return self.file

    def may_carry(self, column: str) -> bool:
        """Whether a missing value of a column may be filled with the last one known."""
        return False


#: The keys that give a column another role than that of an input, and the role in words.
_ROLES = {"target": "the target", "group_by": "what rows are grouped by", "time": "the time",
          "recording": "what tells recordings apart"}


def listed(value: str | list[str] | None) -> list[str]:
    """The names that a key holds: one, several or none."""
    return [value] if isinstance(value, str) else list(value or ())


def _is_address(file: str) -> bool:
    return "://" in file


def is_carry(policy) -> bool:
    return isinstance(policy, dict) and policy.keys() == {"carry"} and (
        isinstance(policy["carry"], int) and 1 <= policy["carry"] <= LARGEST)
