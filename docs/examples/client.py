"""A client of c2 for Python from 3.9 on, with the package websockets (Debian: python3-websockets)."""
import asyncio
import sys
import time

import websockets


async def main(url="ws://localhost:5000", name="guest", text="hello"):
    asked = []  # Frames without an answer. The server answers in the order of the frames.

    async def ask(frame):
        answer = asyncio.get_running_loop().create_future()
        asked.append(answer)
        await socket.send(frame)
        return await answer

    async def read():
        async for frame in socket:
            kind, _, content = frame[len("c2/"):].partition(" ")
            if kind == "ACKNOWLEDGE":
                asked.pop(0).set_result(content)
            elif kind == "ERROR":
                asked.pop(0).set_exception(RuntimeError(content))
            else:  # A broadcast. A text may contain "; ".
                print(kind, *content.split("; ", 3 if kind == "MSG" else 2), sep=" | ", flush=True)
        for answer in asked:
            answer.set_exception(ConnectionError("The connection is closed"))

    async with websockets.connect(url) as socket:
        reading = asyncio.create_task(read())
        server = await ask(f"c2/CONNECT {name}")
        print(f"on {server} are {await ask('c2/QUERY active_users')}", flush=True)
        await ask(f"c2/MSG {int(time.time() * 1000)}; {text}")
        await socket.send("c2/DISCONNECT")
        await reading


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
