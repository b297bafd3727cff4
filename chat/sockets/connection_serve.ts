/**
 * A connection of `Deno.serve`, behind the port of chat/delivery/connection.ts. Limits of the platform: a frame is
 * measured after it has arrived whole, and a stuck peer can be closed but not cut. The platform sends the pings,
 * PROTOCOL.md §7.3.
 *
 * @module
 */
import { STATUS_CODE } from "@std/http/status";
import type { Logger } from "../../src/logging/log.ts";
import type { TurnFrames } from "../delivery/turn_frames.ts";
import type { Connection, Receiver } from "../delivery/connection.ts";
import { CLOSE, type CloseCause, GOING_AWAY } from "../../src/protocol/close_codes.ts";
import type { Frame } from "../room/frame.ts";
import { type AdmittedSocket, NO_HANDSHAKE } from "./transport.ts";

/**
 * Milliseconds for which the frames of a flooding peer are dropped before its close. A frame that arrives after the
 * close makes the platform reset the connection, and the peer then loses the code.
 */
const DRAIN_MS = 500;
/** Milliseconds without a frame after which such a peer has sent all of its flood. */
const QUIET_MS = 50;

export interface ServeConnectionOptions {
  /** Seconds of silence after which a peer is lost; it is pinged after half of them. */
  readonly idleSeconds: number;
  readonly log: Logger;
}

/** Upgrades a request, or answers 400 if it is not a WebSocket handshake. */
export function upgradeServe(
  request: Request,
  { remoteAddress, subprotocol: wished, accept, gone, left }: AdmittedSocket,
  { idleSeconds, log }: ServeConnectionOptions,
): Response {
  // Deno 2.9 reports neither an opening nor an error of such an upgrade, and keeps its descriptor for good. A client that
  // is seen to leave after this keeps its place for good too: else one address could take all descriptors.
  if (left?.aborted) {
    gone();
    return new Response("The client has left\n", { status: STATUS_CODE.BadRequest });
  }
  // The platform's option throws for a name that it does not find, such as one in a list without blanks.
  const isFound = request.headers.get("sec-websocket-protocol")?.split(", ").includes(wished ?? "") === true;
  let upgrade: Deno.WebSocketUpgrade;
  try {
    const protocol = isFound && wished !== undefined ? { protocol: wished } : {};
    upgrade = Deno.upgradeWebSocket(request, { idleTimeout: idleSeconds, ...protocol });
  } catch {
    gone();
    return new Response(`${NO_HANDSHAKE}\n`, { status: STATUS_CODE.BadRequest });
  }
  const { socket, response } = upgrade;
  const subprotocol = isFound ? wished : chosenByHand(response, wished);
  const connection = new ServeConnection(socket, remoteAddress, subprotocol);
  let receiver: Receiver | undefined;

  // Fence of this entry point: an exception in a handler of the platform would end the process.
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
      connection.hasReceived = true;
      if (typeof data === "string") receiver?.receiveText(data);
      else receiver?.receiveBinary(data.byteLength);
    });
  // The platform reports some closes twice, or as an error and a close.
  let isOver = false;
  const over = (isLeaving: boolean) => {
    if (isOver) return;
    isOver = true;
    connection.ended();
    fenced("close", () => receiver?.lost(isLeaving));
    fenced("gone", gone);
  };
  socket.onclose = ({ code, reason }) => over(code === GOING_AWAY && reason === "");
  // Without a listener an error would end the process. A close event follows it, unless the socket never opened.
  socket.onerror = () => {
    if (socket.readyState === WebSocket.CONNECTING) over(false);
  };
  return response;
}

/** Sets the subprotocol in the response. Deno 2.4 does not allow that: the connection then has none. */
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
  /** Whether a frame came since this was last false. */
  hasReceived = false;
  readonly #socket: WebSocket;
  #draining: ReturnType<typeof setInterval> | undefined;

  constructor(socket: WebSocket, remoteAddress: string, subprotocol: string | undefined) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    this.subprotocol = subprotocol;
  }

  get pendingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** The platform drops frames after a close. */
  send({ text }: Frame): void {
    this.#socket.send(text);
  }

  sendTurn(broadcasts: TurnFrames, from: number): void {
    for (let i = from; i < broadcasts.length; i++) this.#socket.send(broadcasts.at(i).text);
  }

  /** The platform sends each frame at once. */
  flush(): void {}

  close(cause: CloseCause): void {
    if (this.#socket.readyState !== WebSocket.OPEN || this.#draining !== undefined) return;
    if (cause !== CLOSE.flood && cause !== CLOSE.unanswered) return this.#close(cause);
    let waitedMs = 0;
    this.#draining = setInterval(() => {
      waitedMs += QUIET_MS;
      if (this.hasReceived && waitedMs < DRAIN_MS) this.hasReceived = false;
      else this.#close(cause);
    }, QUIET_MS);
  }

  #close({ code, reason }: CloseCause): void {
    this.ended();
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close(code, reason);
  }

  /** Call when the socket is closed. */
  ended(): void {
    clearInterval(this.#draining);
  }

  /**
   * The platform cannot cut a connection, so this closes it: the next byte from the peer ends it, but a silent peer
   * that does not read keeps it until TCP gives up.
   */
  terminate(): void {
    this.#close(CLOSE.stopping);
  }
}
