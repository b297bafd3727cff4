/**
 * nginx with the example of packages/nginx/ before servers of a test: the very file, with other ports, other
 * certificates, and whatever else a test replaces.
 *
 * @module
 */
import type { FrontProxy, ProxyTargets } from "./proxy_cases.ts";
import { freePort } from "../support/free_port.ts";
import { CERTIFICATE, KEY, PACKAGES, ProxyProgram, replaced } from "./proxy_program.ts";
import { toolPath } from "./tool_path.ts";

/** Undefined where it is not installed. */
export const nginxPath = toolPath("nginx");

export interface NginxTargets extends ProxyTargets {
  /** Texts of the example and what stands in their place. */
  readonly replace?: Readonly<Record<string, string>>;
}

interface Ports {
  readonly plain: number;
  readonly chat: number;
  readonly listing: number;
}

export class NginxProxy implements FrontProxy {
  readonly #program: ProxyProgram;
  readonly #ports: Ports;

  private constructor(program: ProxyProgram, ports: Ports) {
    this.#program = program;
    this.#ports = ports;
  }

  static async start({ chatPort = 1, listingPort = 1, replace = {} }: NginxTargets): Promise<NginxProxy> {
    const ports = { plain: freePort(), chat: freePort(), listing: freePort() };
    let site = replaced(await Deno.readTextFile(`${PACKAGES}nginx/chatter.conf`), [
      ...Object.entries(replace),
      ["server 127.0.0.1:5000;", `server 127.0.0.1:${chatPort};`],
      ["server 127.0.0.1:8000;", `server 127.0.0.1:${listingPort};`],
      ["/etc/letsencrypt/live/chat.example/fullchain.pem", CERTIFICATE],
      ["/etc/letsencrypt/live/chat.example/privkey.pem", KEY],
      ["/etc/letsencrypt/live/listing.example/fullchain.pem", CERTIFICATE],
      ["/etc/letsencrypt/live/listing.example/privkey.pem", KEY],
      ["listen 80;", `listen 127.0.0.1:${ports.plain};`],
      ["listen [::]:80;", `listen [::1]:${ports.plain};`],
    ]);
    // The chat server's stands first, and each gets a port of its own.
    for (const port of [ports.chat, ports.listing]) {
      site = site.replace("listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`)
        .replace("listen [::]:443 ssl;", `listen [::1]:${port} ssl;`);
    }
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/site.conf`, site);
    await Deno.writeTextFile(`${folder}/nginx.conf`, outerConfiguration(folder));
    const args = ["-e", "stderr", "-p", folder, "-c", `${folder}/nginx.conf`];
    const program = await ProxyProgram.start(nginxPath!, args, {
      folder,
      ports: [ports.plain, ports.chat, ports.listing],
    });
    return new NginxProxy(program, ports);
  }

  /** Where the redirect to TLS is. */
  get plainUrl(): string {
    return `http://127.0.0.1:${this.#ports.plain}`;
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

/** What is around a site in /etc/nginx/nginx.conf, within one folder and one process. */
function outerConfiguration(folder: string): string {
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
    `${name}_temp_path ${folder}/${name};`
  );
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  ${places.join("\n  ")}
  include ${folder}/site.conf;
}
`;
}
