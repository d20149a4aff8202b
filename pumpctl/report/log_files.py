"""A log as NDJSON, CSV or Parquet, chosen by the file's name."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pumpctl.errors import StoreError, UsageError

COLUMNS = ("number", "time", "kind", "boot", "counter_ms", "pulses", "operation", "fields")


def write_log(path: Path, serial: str, entries: Sequence[dict[str, Any]]) -> None:
    """Write entries; UsageError for another ending, StoreError where it cannot be written."""
    writers = {".ndjson": _ndjson, ".csv": _csv, ".parquet": _parquet}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UsageError(
            f"{path.name}: the format is not known", hint="NAME.ndjson, NAME.csv or NAME.parquet"
        )
    try:
        writer(path, [{"pump": serial, **entry} for entry in entries])
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}") from error


def _ndjson(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def _csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("pump", *COLUMNS))
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, "fields": json.dumps(row["fields"])})


def _parquet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed", hint="install pumpctl[parquet]"
        ) from error
    table = pa.Table.from_pylist([{**row, "fields": json.dumps(row["fields"])} for row in rows])
    pq.write_table(table, path)
