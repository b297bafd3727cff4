/**
 * Gateways of a server with several threads, in the thread of the test: the same classes, messages and shared port, each
 * behind message ports of its own, but no isolates, whose start costs as much as twenty servers on one thread.
 * tests/chat/threads_test.ts shows what only real threads can.
 *
 * @module
 */
import { TRANSPORTS } from "../../chat/gateway/threads/mod.ts";
import { ThreadGateway } from "../../chat/gateway/threads/thread_gateway.ts";

type Ports = { readonly port: MessagePort; readonly lifeline: MessagePort };

/** Until it is disposed of, servers that start have their gateways in this thread. */
export function gatewaysInProcess(): Disposable {
  const { Worker: RealWorker } = globalThis;
  globalThis.Worker = new Proxy(RealWorker, {
    construct: (_, [entry, options]: [string, WorkerOptions & { name: string }]) =>
      options.name.startsWith("gateway ") ? new GatewayInProcess() : new RealWorker(entry, options),
  });
  return { [Symbol.dispose]: () => void (globalThis.Worker = RealWorker) };
}

/** What the pool of threads uses of a worker, and what serveThread() does in one. */
class GatewayInProcess implements Pick<Worker, "postMessage" | "terminate"> {
  onmessage: (() => void) | undefined;
  onerror: ((event: ErrorEvent) => void) | undefined;
  #ports: Ports | undefined;

  constructor() {
    queueMicrotask(() => this.onmessage?.());
  }

  postMessage(ports: Ports): void {
    this.#ports = ports;
    const gateway = new ThreadGateway(
      (message) => ports.port.postMessage(message),
      TRANSPORTS,
      ports.lifeline,
    );
    ports.port.onmessage = ({ data }) => gateway.receive(data);
  }

  terminate(): void {
    this.#ports?.port.close();
    this.#ports?.lifeline.close();
  }
}
