// A client of c2 for browsers, Deno, and Node from 22 on: each of them has a WebSocket.

/** Joins a chat server. `on` may have message, renamed and left for broadcasts, and closed for the end. */
export async function join(url, name, on = {}) {
  const socket = new WebSocket(url);
  const asked = []; // Frames without an answer. The server answers in the order of the frames.
  const answer = () => new Promise((resolve, reject) => asked.push({ resolve, reject }));
  const ask = async (frame) => {
    if (socket.readyState !== WebSocket.OPEN) throw new Error("The connection is closed");
    socket.send(frame);
    return await answer();
  };
  socket.onopen = () => asked.shift().resolve();
  socket.onmessage = ({ data }) => {
    const [, type, content = ""] = /^c2\/([A-Z]+) ?(.*)$/s.exec(data);
    const part = content.split("; ");
    if (type === "ACKNOWLEDGE") asked.shift().resolve(content);
    else if (type === "ERROR") asked.shift().reject(new Error(content));
    else if (type === "UPDATE") on.renamed?.(part[0], part[2]);
    else if (type === "DISCONNECT") on.left?.(part[1], part[0]);
    else if (type === "MSG") {
      const [name, time, id, ...text] = part; // A text may contain "; ".
      on.message?.({ name, time: new Date(Number(time)), id, text: text.join("; ") });
    }
  };
  socket.onclose = ({ code, reason }) => {
    for (const { reject } of asked) reject(new Error(`The connection is closed: ${code} ${reason}`));
    on.closed?.(code, reason);
  };
  await answer(); // Waits until the connection is open.
  return {
    server: await ask(`c2/CONNECT ${name}`),
    say: (text) => ask(`c2/MSG ${Date.now()}; ${text}`),
    change: (id, text) => ask(`c2/QUERY update_message; ${id}; ${text}`),
    rename: (to) => ask(`c2/UPDATE username; ${to}`),
    people: async () => (await ask("c2/QUERY active_users")).slice(1, -1).split(","),
    history: async (limit = 50) => JSON.parse(await ask(`c2/QUERY history; ${limit}`)),
    leave: () => socket.send("c2/DISCONNECT"),
  };
}
