"""uvicorn for tests: it ends when it is told. uvicorn itself looks ten times a second, and then waits a tenth more.

A run of the tests ends some thousand nodes, each of them 0.15 to 0.25 s sooner. What uvicorn waits for is waited for
here too: requests that are being answered, connections that close, the application's own end.
"""

import asyncio
import socket
from contextlib import suppress

import uvicorn

GLANCE_SECONDS = 0.002  # between two looks at what is still open: connections close within one turn of the loop


class PromptServer(uvicorn.Server):
    """A server in a thread. `stop` may be called from any thread; the thread ends when all is closed."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Tell the server to end, also one that has not begun or has ended."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: it has ended
                self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Serve until told to end."""
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)  # the headers of every answer are made there
        if not self.should_exit:
            await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let those that are answered finish, and end the application."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            await asyncio.wait_for(self._all_closed(), self.config.timeout_graceful_shutdown)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()
        await self.lifespan.shutdown()

    async def _all_closed(self) -> None:
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(GLANCE_SECONDS)
        for server in self.servers:
            await server.wait_closed()
