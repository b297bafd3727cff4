/**
 * A port that is open before its server is, and says so until the server takes it over: for a platform that waits for an
 * instance's port while another instance has its store. It decides no request of the server.
 *
 * @module
 */
import { STATUS_CODE } from "@std/http/status";
import type { StartTransport, Transport, TransportOptions } from "./transport.ts";

export class EarlyPort implements AsyncDisposable {
  #handle: TransportOptions["handle"] = answerNotReady;
  #transport: Transport | undefined;

  /** Opens the port. Throws the runtime's error. */
  static async open(start: StartTransport, options: Omit<TransportOptions, "handle">): Promise<EarlyPort> {
    const early = new EarlyPort();
    early.#transport = await start({ ...options, handle: (request, peer) => early.#handle(request, peer) });
    return early;
  }

  /** Hands the port over: from now on `handle` answers, and the caller stops it. */
  readonly take: StartTransport = ({ handle }) => {
    const transport = this.#transport!;
    this.#transport = undefined;
    this.#handle = handle;
    return Promise.resolve(transport);
  };

  /** Closes the port, unless it was taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport?.stop();
  }
}

function answerNotReady({ url }: Request): Response {
  if (new URL(url).pathname === "/healthz") return new Response("ok\n");
  const init = { status: STATUS_CODE.ServiceUnavailable, headers: { "retry-after": "1" } };
  return new Response("Not ready: another instance of this server still has the store\n", init);
}
