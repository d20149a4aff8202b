"""Downloads a file from an SMP server, a chunk a request; a request that fails is asked again.

    smp_read.py PORT FILE

The library's own `download_file` ends at the first request that fails, so the loop
stands here. Prints the seconds from the first request to the file's end on disk.
Runs in the peers' environment.
"""

import asyncio
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from smpclient import SMPClient  # type: ignore[import-not-found]
from smpclient.generics import success  # type: ignore[import-not-found]
from smpclient.requests.file_management import FileDownload  # type: ignore[import-not-found]
from smpclient.transport.serial import SMPSerialTransport  # type: ignore[import-not-found]

TIMEOUT_S = 0.7
QUIET_S = 0.3
TRIES = 50


async def main() -> None:
    port, path = sys.argv[1], Path(sys.argv[2])
    client = SMPClient(SMPSerialTransport(), port)
    await client.connect(5)
    begun = time.perf_counter()
    out = bytearray()
    size = None
    while size is None or len(out) < size:
        told = await part(client, len(out))
        size = told.len if size is None else size
        out += told.data
    with path.open("wb") as file:
        file.write(out)
        file.flush()
        os.fsync(file.fileno())
    print(time.perf_counter() - begun, flush=True)
    os._exit(0)  # its reader may still wait for the port


async def part(client: Any, at: int) -> Any:
    for _ in range(TRIES):
        try:
            told = await client.request(FileDownload(off=at, name="log"), timeout_s=TIMEOUT_S)
        except Exception:  # noqa: BLE001  every spoiled answer has an exception of its own
            await anew(client)
            continue
        if success(told) and told.off == at and told.data:
            return told
    raise SystemExit(f"the part at {at} does not come")


async def anew(client: Any) -> None:
    """What is left of a spoiled answer would be taken for the next one: let it pass."""
    await asyncio.sleep(QUIET_S)
    with suppress(Exception):
        await client.disconnect()
    with suppress(Exception):  # it asks for the server's parameters, which may be spoiled, too
        await client.connect(2)


asyncio.run(main())
