/**
 * Caddy with the example of packages/caddy/ before servers of a test: the very file, with other ports and with
 * certificates that it need not get.
 *
 * @module
 */
import type { FrontProxy, ProxyTargets } from "./proxy_cases.ts";
import { freePort } from "../support/free_port.ts";
import { CERTIFICATE, KEY, PACKAGES, ProxyProgram, replaced } from "./proxy_program.ts";
import { toolPath } from "./tool_path.ts";

/** Undefined where it is not installed. */
export const caddyPath = toolPath("caddy");

export class CaddyProxy implements FrontProxy {
  readonly #program: ProxyProgram;
  readonly #ports: { readonly chat: number; readonly listing: number };

  private constructor(program: ProxyProgram, ports: { readonly chat: number; readonly listing: number }) {
    this.#program = program;
    this.#ports = ports;
  }

  static async start({ chatPort = 1, listingPort = 1 }: ProxyTargets): Promise<CaddyProxy> {
    const ports = { chat: freePort(), listing: freePort() };
    const site = (port: number) => `:${port} {\n\tbind 127.0.0.1 ::1\n\ttls ${CERTIFICATE} ${KEY}`;
    const example = replaced(await Deno.readTextFile(`${PACKAGES}caddy/Caddyfile`), [
      ["\nchat.example {", `\n${site(ports.chat)}`],
      ["\nlisting.example {", `\n${site(ports.listing)}`],
      ["127.0.0.1:5000", `127.0.0.1:${chatPort}`],
      ["127.0.0.1:8000", `127.0.0.1:${listingPort}`],
    ]);
    const folder = await Deno.makeTempDir();
    const options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n";
    await Deno.writeTextFile(`${folder}/Caddyfile`, options + example);
    const args = ["run", "--adapter", "caddyfile", "--config", `${folder}/Caddyfile`];
    const program = await ProxyProgram.start(caddyPath!, args, {
      folder,
      ports: [ports.chat, ports.listing],
    });
    return new CaddyProxy(program, ports);
  }

  chatUrl(from: "127.0.0.1" | "::1" = "127.0.0.1"): string {
    return `https://${from === "::1" ? "[::1]" : from}:${this.#ports.chat}`;
  }

  get listingUrl(): string {
    return `https://127.0.0.1:${this.#ports.listing}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}
