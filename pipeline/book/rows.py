"""The rows of a table."""

import pandas as pd


def records(table: pd.DataFrame) -> list[dict]:
    """Each row as a mapping of plain Python values, as `to_dict("records")` gives them.

    That takes out one column after the other, which for a few wide rows takes six times as long; pages look at thousands.
    """
    return [dict(zip(table.columns, row)) for row in table.to_numpy(object).tolist()]
