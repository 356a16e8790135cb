"""A bad line on 127.0.0.1: carries bytes to a node and back, and cuts, slows down, resets or answers by itself.

    sender -> FaultProxy -> node          proxy.use(Fault(up_bytes=120))

Bytes are counted from the call of `use` on, over all connections: a cut comes after exactly so many, once.
"""

import asyncio
import random
import re
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

WAIT_SECONDS = 10
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: close by RST, what nobody has read is lost
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """What is wrong with the line.

    up_bytes, down_bytes: cut when so many went to the node, or came back; resets: cut by RST instead of FIN;
    bytes_per_second: how many it carries each way, 0 for all; delay_seconds: how late each part arrives;
    says: the whole answer of a portal, which asks nobody; garbles: how likely each part loses a byte to another.
    """

    up_bytes: int | None = None
    down_bytes: int | None = None
    resets: bool = False
    bytes_per_second: int = 0
    delay_seconds: float = 0.0
    says: bytes = b""
    garbles: float = 0.0


class FaultProxy:
    """A line to `target_port`. up, down: bytes carried since `use`; cuts: how often it was cut since then."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.use(Fault())
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy")
        self._thread.start()
        self._server = self._ask(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def use(self, fault: Fault) -> None:
        """Have this fault from now on, and count from nothing. Lines that are open end where a portal takes over."""
        self.fault, self.up, self.down, self.cuts = fault, 0, 0, 0
        if fault.says:
            self._ask(self._hang_up())

    def stop(self) -> None:
        """End all lines and the thread."""
        self._ask(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()

    def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS)

    async def _hang_up(self) -> None:
        _close(*self._writers)
        while self._writers:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.005)  # until the sockets themselves are closed

    async def _end(self) -> None:
        self._server.close()
        _close(*self._writers)
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.fault.says:
                await _read_request(reader)
                writer.write(self.fault.says)
            else:
                await self._join(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # cancelled by `stop`: asyncio would print what nobody waits for
        finally:
            self._writers.discard(writer)
            _close(writer)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead both ways until one end closes, or the line is cut."""
        node_reader, node_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        self._writers.add(node_writer)
        ways = (self._carry(reader, node_writer, True), self._carry(node_reader, writer, False))
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if any(task.exception() is None and task.result() for task in done):
                _reset(writer, node_writer)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._writers.discard(node_writer)
            _close(node_writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upwards: bool) -> bool:
        """Lead one way until it ends; True when both ends are to see a reset."""
        while part := await reader.read(max(1, self.fault.bytes_per_second // 8) if self._is_slow else 65536):
            await self._wait(len(part))
            fault, left = self.fault, self._left(upwards)
            part = part if left is None else part[:left]
            self._count(len(part), upwards)
            writer.write(_garbled(part) if random.random() < fault.garbles else part)
            if left is not None and len(part) == left:
                self.fault, self.cuts = Fault(), self.cuts + 1
                return fault.resets
            await writer.drain()
        return False

    @property
    def _is_slow(self) -> bool:
        return self.fault.bytes_per_second > 0

    async def _wait(self, size: int) -> None:
        seconds = self.fault.delay_seconds
        if self._is_slow:
            seconds += size / self.fault.bytes_per_second
        if seconds:
            await asyncio.sleep(seconds)

    def _left(self, upwards: bool) -> int | None:
        """Return how many bytes may still pass this way; None for as many as come."""
        limit = self.fault.up_bytes if upwards else self.fault.down_bytes
        return None if limit is None else max(0, limit - (self.up if upwards else self.down))

    def _count(self, size: int, upwards: bool) -> None:
        self.up += size if upwards else 0
        self.down += 0 if upwards else size


def _garbled(part: bytes) -> bytes:
    """Return the bytes with one of them changed."""
    at = random.randrange(len(part))
    return part[:at] + bytes([part[at] ^ (1 + random.randrange(255))]) + part[at + 1 :]


async def _read_request(reader: asyncio.StreamReader) -> None:
    """Read a request to its end, as who answers it does."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    await reader.readexactly(int(length[1]) if length else 0)


def _close(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        if not writer.is_closing():
            writer.close()


def _reset(*writers: asyncio.StreamWriter) -> None:
    """End both connections as a machine does that has forgotten them."""
    for writer in writers:
        line: socket.socket = writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()
