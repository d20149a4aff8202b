"""A Modbus RTU server whose holding registers are a file, page by page.

    modbus_serve.py PORT FILE

Register 0 of device N+1 is the file's byte N * 131072. Runs in the peers' environment.
"""

import asyncio
import sys
from pathlib import Path

from pymodbus import FramerType  # type: ignore[import-not-found]
from pymodbus.datastore import (  # type: ignore[import-not-found]
    ModbusDeviceContext,
    ModbusSequentialDataBlock,
    ModbusServerContext,
)
from pymodbus.server import ModbusSerialServer  # type: ignore[import-not-found]

PAGE = 131_072


async def main() -> None:
    data = Path(sys.argv[2]).read_bytes()
    devices = {}
    for number, at in enumerate(range(0, len(data), PAGE), 1):
        page = data[at : at + PAGE]
        registers = [int.from_bytes(page[n : n + 2], "big") for n in range(0, len(page), 2)]
        block = ModbusSequentialDataBlock(1, registers)
        devices[number] = ModbusDeviceContext(hr=block)
    context = ModbusServerContext(devices=devices, single=False)
    server = ModbusSerialServer(
        context, framer=FramerType.RTU, port=sys.argv[1], baudrate=115_200, timeout=1
    )
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
