"""Reads a file out of holding registers, 125 at a time, the most that a request may ask for.

    modbus_read.py PORT FILE SIZE

Prints the seconds from the first request to the file's end on disk. Runs in the peers' environment.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from pymodbus import FramerType  # type: ignore[import-not-found]
from pymodbus.client import ModbusSerialClient  # type: ignore[import-not-found]
from pymodbus.exceptions import ModbusException  # type: ignore[import-not-found]

PAGE = 131_072
MOST = 125
TRIES = 50


def main() -> int:
    port, path, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    client = ModbusSerialClient(
        port, framer=FramerType.RTU, baudrate=115_200, timeout=0.5, retries=3
    )
    if not client.connect():
        return 1
    out = bytearray()
    begun = time.perf_counter()
    while len(out) < size:
        device, at = divmod(len(out), PAGE)
        count = min(MOST, (min(size - device * PAGE, PAGE) - at + 1) // 2)
        out += block(client, at // 2, count, device + 1)
    with path.open("wb") as file:
        file.write(out)
        file.flush()
        os.fsync(file.fileno())
    print(time.perf_counter() - begun)
    client.close()
    return 0


def block(client: Any, address: int, count: int, device: int) -> bytes:
    for _ in range(TRIES):
        try:
            told = client.read_holding_registers(address, count=count, device_id=device)
        except ModbusException:
            client.connect()
            continue
        if not told.isError() and len(told.registers) == count:
            return b"".join(value.to_bytes(2, "big") for value in told.registers)
    raise SystemExit(f"registers from {address} on do not come")


sys.exit(main())
