"""The socket that a role listens on."""

import asyncio
import socket

from pipeline.listener import bound


async def test_answers_are_sent_at_once_in_asyncio_s_own_loop():
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    with bound("127.0.0.1", 0, "WORKER_PORT") as here:
        server = await asyncio.start_server(lambda _, writer: accepted.put_nowait(writer), sock=here)
        _, client = await asyncio.open_connection(*here.getsockname())
        there = await accepted.get()
        assert there.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        client.close()
        there.close()
        server.close()
