"""A small SMP server on a serial port: one file, and its transport's parameters.

    smp_serve.py PORT FILE CHUNK

CHUNK is what one answer carries, as a server's buffer allows. Made of the `smp`
package alone; runs in the peers' environment.
"""

import binascii
import sys
from pathlib import Path
from typing import Any

import serial
from smp import packet  # type: ignore[import-not-found]
from smp.exceptions import SMPException  # type: ignore[import-not-found]
from smp.file_management import FileDownloadRequest, FileDownloadResponse  # type: ignore[import-not-found]
from smp.header import GroupId, Header  # type: ignore[import-not-found]
from smp.os_management import (  # type: ignore[import-not-found]
    MCUMgrParametersReadRequest,
    MCUMgrParametersReadResponse,
)

BAD = (SMPException, binascii.Error, ValueError, IndexError, KeyError)
"""What a spoiled frame comes to."""


def answer(frame: bytes, data: bytes, chunk: int) -> Any:
    """The response to a request."""
    header = Header.loads(frame[: Header.SIZE])
    if header.group_id == GroupId.OS_MANAGEMENT:
        asked = MCUMgrParametersReadRequest.loads(frame)
        return MCUMgrParametersReadResponse(
            sequence=asked.header.sequence, buf_size=chunk + 84, buf_count=4
        )
    asked = FileDownloadRequest.loads(frame)
    part = data[asked.off : asked.off + chunk]
    length = len(data) if asked.off == 0 else None
    return FileDownloadResponse(
        sequence=asked.header.sequence, off=asked.off, data=part, len=length
    )


def main() -> None:
    data, chunk = Path(sys.argv[2]).read_bytes(), int(sys.argv[3])
    port = serial.Serial(sys.argv[1], 115_200)
    print("ready", flush=True)
    decoder = None
    while True:
        line = port.read_until(packet.END_DELIMITER)
        if packet.START_DELIMITER in line:
            decoder = packet.decode()
            next(decoder)
            line = line[line.index(packet.START_DELIMITER) :]
        if decoder is None:
            continue
        try:
            decoder.send(line)
        except StopIteration as whole:
            decoder = None
            try:
                told = answer(whole.value, data, chunk)
            except BAD:
                continue
            port.write(b"".join(packet.encode(bytes(told))))
        except BAD:
            decoder = None


main()
