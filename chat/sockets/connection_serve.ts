/**
 * The connection of `Deno.serve`: its WebSocket upgrade behind the port of connection.ts.
 *
 * What the platform does not offer is not made up here: an inbound frame is whole before it can be measured,
 * and a stuck peer cannot be cut off, only closed. Pings are the platform's own, PROTOCOL.md §7.3.
 *
 * @module
 */
import { STATUS_CODE } from "@std/http/status";
import type { Logger } from "../../src/logging/log.ts";
import type { TurnFrames } from "../delivery/turn_frames.ts";
import type { Connection, Receiver } from "../delivery/connection.ts";
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import type { Frame } from "../room/frame.ts";
import type { AdmittedSocket } from "./transport.ts";

export interface ServeConnectionOptions {
  /** Seconds of silence after which a peer that does not answer pings is lost; it is pinged at the half. */
  readonly idleSeconds: number;
  readonly log: Logger;
}

/** Upgrades the request, or answers 400 where it is no handshake of a WebSocket. */
export function upgradeServe(
  request: Request,
  { remoteAddress, subprotocol: wished, accept, gone }: AdmittedSocket,
  { idleSeconds, log }: ServeConnectionOptions,
): Response {
  // The platform's own option throws for a name that it does not find, as in a list without blanks.
  const isFound = request.headers.get("sec-websocket-protocol")?.split(", ").includes(wished ?? "") === true;
  let upgrade: Deno.WebSocketUpgrade;
  try {
    const protocol = isFound && wished !== undefined ? { protocol: wished } : {};
    upgrade = Deno.upgradeWebSocket(request, { idleTimeout: idleSeconds, ...protocol });
  } catch {
    gone();
    return new Response("Not a WebSocket handshake\n", { status: STATUS_CODE.BadRequest });
  }
  const { socket, response } = upgrade;
  const subprotocol = isFound ? wished : chosenByHand(response, wished);
  const connection = new ServeConnection(socket, remoteAddress, subprotocol);
  let receiver: Receiver | undefined;

  // An exception in a handler of the platform's would end the process: this is the fence of this entry point.
  const fenced = (where: string, handle: () => void) => {
    try {
      handle();
    } catch (error) {
      log.error("bug", { where, error });
      connection.close(CLOSE.internal);
    }
  };
  socket.onopen = () => fenced("open", () => receiver = accept(connection));
  socket.onmessage = ({ data }) =>
    fenced("message", () => {
      if (typeof data === "string") receiver?.receiveText(data);
      else receiver?.receiveBinary(data.byteLength);
    });
  // The platform reports some ends twice, and some as an error and a close: only the first is told.
  let isOver = false;
  socket.onclose = () => {
    if (isOver) return;
    isOver = true;
    fenced("close", () => receiver?.lost());
    fenced("gone", gone);
  };
  // Without a listener an error of a socket would be an error of the process. A close event follows it.
  socket.onerror = () => {};
  return response;
}

/** Answers with the subprotocol where the answer can still be changed, which Deno 2.4 does not allow: it is none then. */
function chosenByHand({ headers }: Response, subprotocol: string | undefined): string | undefined {
  if (subprotocol === undefined) return undefined;
  try {
    headers.set("Sec-WebSocket-Protocol", subprotocol);
    return subprotocol;
  } catch {
    return undefined;
  }
}

class ServeConnection implements Connection {
  readonly remoteAddress: string;
  readonly subprotocol: string | undefined;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, remoteAddress: string, subprotocol: string | undefined) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    this.subprotocol = subprotocol;
  }

  get pendingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** The platform drops by itself what is sent after a close. */
  send({ text }: Frame): void {
    this.#socket.send(text);
  }

  sendTurn(broadcasts: TurnFrames, from: number): void {
    for (let i = from; i < broadcasts.length; i++) this.#socket.send(broadcasts.at(i).text);
  }

  /** The platform sends each frame by itself, and at once. */
  flush(): void {}

  close({ code, reason }: CloseCause): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close(code, reason);
  }

  /**
   * The platform has no such thing. A close comes closest: whatever the peer sends after it ends the connection at
   * once, but a peer that is silent and does not read keeps it until TCP gives up.
   */
  terminate(): void {
    this.close(CLOSE.stopping);
  }
}
