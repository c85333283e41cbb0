"""Generated history, years of hours in seconds: one small hour is made, and older ones are copies of its files.

The listing of landing files in `raw_events` has the hour's name; in the copies it is replaced byte for byte, since all
names of hours have the same length. Everything else may be the same in each.
"""

import os
import shutil
from pathlib import Path

from benchmarks.homes import add_destination, land, make_payloads, open_home
from snap_pipeline.hours import ONE_HOUR, format_hour, parse_hour


def make_history(home: Path | str, hours: int, url: str, *, last: str, events: int = 200) -> None:
    """Fill the hours up to the last one: landed, made and delivered to one destination.

    Args:
        home: gets the hours.
        hours: their number.
        url: of the destination's sandbox.
        last: the newest of the hours.
        events: in each hour.
    """
    pipeline, template = open_home(home), parse_hour(last)
    destination = add_destination(pipeline, url)
    if not hours:
        return
    land(pipeline, events, template)
    make_payloads(pipeline, template)
    pipeline.transformations.make_parameter_completeness(template)
    pipeline.dispatcher().dispatch(destination, template)
    landed = pipeline.landing.folder("default", template)
    for hour in range(1, hours):
        moment = template - hour * ONE_HOUR
        shutil.copytree(landed, pipeline.landing.folder("default", moment), copy_function=os.link)
        for folder in pipeline.lake.storage.path("").glob(f"*/hour={format_hour(template)}"):
            copy_partition(folder, format_hour(template), format_hour(moment))


def copy_partition(folder: Path, template: str, key: str) -> None:
    """Copy a table's hour; files without the name of the hour in them are hard links."""
    other = folder.with_name(f"hour={key}")
    if folder.parent.name != "raw_events":
        shutil.copytree(folder, other, copy_function=os.link)
        return
    other.mkdir()
    content = (folder / "data.parquet").read_bytes()
    (other / "data.parquet").write_bytes(content.replace(template.encode(), key.encode()))
    shutil.copystat(folder / "data.parquet", other / "data.parquet")  # payloads are not older than their raw events
