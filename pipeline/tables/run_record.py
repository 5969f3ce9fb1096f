"""What a finished run measured: its fields, their kinds and their ranges."""

import math
from collections.abc import Mapping

ENDPOINTS = ("best", "last")
#: What a finished run measured; with its two curves, this is all that is kept of it.
MEASURES = ["diverged", "parameters",
            *(f"{endpoint}_{measure}" for endpoint in ENDPOINTS for measure in (
                "epoch", "validation_loss", "train_loss", "error", "loss", "calibration_error", "minority_recall")),
            "trivial_error", "trivial_loss", "trivial_validation_loss", "test_size"]
#: A loss for each epoch that was run.
CURVES = ("train_curve", "validation_curve")

_COUNTS = {"parameters", "test_size", *(f"{endpoint}_epoch" for endpoint in ENDPOINTS)}
_SHARES = {f"{endpoint}_{measure}" for endpoint in ENDPOINTS for measure in ("calibration_error", "minority_recall")}
_FINITE = {"trivial_error", "trivial_loss", "trivial_validation_loss"}
#: A loss is not below 0, but for rounding.
_LEAST = -1e-6
#: Curves are kept with four digits.
_CURVE_PRECISION = 1e-3


def check(record: Mapping) -> None:
    """Refuse what no run can have measured.

    Args:
        record: `MEASURES` and `CURVES`, as `pipeline.train.trainer.record` makes them.

    Raises:
        ValueError: a field is missing, unknown, of another kind or out of range, or the curves are not those of
            the measures; it names the field.
    """
    if not isinstance(record, Mapping):
        raise ValueError(f"found {str(record)[:40]!r}; allowed: the measures of a run")
    for name in {*MEASURES, *CURVES} ^ {*record}:
        raise ValueError(f"{str(name)[:40]!r} is {'missing' if name not in record else 'no measure of a run'}")
    for name in MEASURES:
        if not _allowed(name, record[name]):
            raise ValueError(f"{name}: found {str(record[name])[:40]!r}; allowed: {_words(name)}")
    for name in CURVES:
        _check_curve(name, record)
    _check_best(record)


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _allowed(name: str, value) -> bool:
    if name == "diverged":
        return isinstance(value, bool)
    if name in _COUNTS:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if name in _SHARES:
        return _is_number(value) and (math.isnan(value) or 0 <= value <= 1)
    return _is_number(value) and (value >= _LEAST if math.isfinite(value) else name not in _FINITE)


def _words(name: str) -> str:
    if name == "diverged":
        return "true or false"
    if name in _COUNTS:
        return "a whole number from 1 on"
    if name in _SHARES:
        return "a number from 0 to 1, or NaN"
    return "a number from 0 on" + ("" if name in _FINITE else ", or one that is not finite")


def _check_curve(name: str, record: Mapping) -> None:
    curve = record[name]
    if not isinstance(curve, list) or len(curve) != record["last_epoch"]:
        raise ValueError(f"{name}: found {str(curve)[:40]!r}; allowed: {record['last_epoch']} numbers, one an epoch")
    wrong = [loss for loss in curve if not _is_number(loss) or loss < _LEAST or not (record["diverged"] or math.isfinite(loss))]
    if wrong:
        raise ValueError(f"{name}: found {str(wrong[0])[:40]!r}; allowed: numbers from 0 on"
                         f"{', also such that are not finite' if record['diverged'] else ''}")


def _check_best(record: Mapping) -> None:
    """Refuse a best epoch that is not that of the least validation loss."""
    epoch, loss, curve = record["best_epoch"], record["best_validation_loss"], record["validation_curve"]
    least = min((loss for loss in curve if math.isfinite(loss)), default=math.nan)
    if epoch > len(curve) or (math.isfinite(least) and not (
            math.isclose(loss, least, rel_tol=_CURVE_PRECISION)
            and math.isclose(curve[epoch - 1], least, rel_tol=_CURVE_PRECISION))):
        raise ValueError(f"best_epoch, best_validation_loss: found {epoch} and {loss}; allowed: those of the least "
                         "validation loss of the curve")
