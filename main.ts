/**
 * The program `chatter`: from its arguments to its exit status. The only place that knows the chat server, the
 * listing and the commands for a terminal; each is loaded when it is asked for, so that help does not wait for them.
 *
 * @module
 */
import {
  type AdminLine,
  type ClientLine,
  type CommandValues,
  type ExportLine,
  type HealthLine,
  type ImportLine,
  type ServerCommand,
  type ServersLine,
  type UsageError,
} from "./src/cli/command_line.ts";
import { readConfiguredLine } from "./src/cli/configured_line.ts";
import { COMMANDS, limitsOf, listingLimitsOf } from "./src/cli/commands.ts";
import { helpText } from "./src/cli/help_text.ts";
import { logger } from "./src/logging/log.ts";
import { keepOnlyTheNetwork } from "./src/serving/permissions.ts";
import type { Reconfigured } from "./src/serving/reload.ts";
import type { Running } from "./src/serving/service.ts";
import type { ListenAddress } from "./src/serving/start_failure.ts";
import { VERSION, versionLine } from "./src/version.ts";

/** Exit statuses: 0 done or stopped, 1 cannot run or was refused, 2 the command line or the configuration is wrong. */
async function main(): Promise<0 | 1 | 2> {
  const env = (name: string) => Deno.env.get(name);
  const readLine = () => readConfiguredLine(Deno.args, { env, isTerminal: Deno.stderr.isTerminal() });
  const line = await readLine();
  switch (line.kind) {
    case "help":
      await print(Deno.stdout, helpText(line.topic));
      return 0;
    case "version":
      await print(Deno.stdout, versionLine() + "\n");
      return 0;
    case "usage error":
      await print(Deno.stderr, `chatter: ${line.problem}\n`);
      return 2;
    case "export":
    case "import":
      return await transfer(line);
    case "config": {
      const { showConfig } = await import("./terminal/config.ts");
      await print(Deno.stdout, showConfig(line, env));
      return 0;
    }
    case "completions": {
      const { completionScript } = await import("./src/cli/completions/script.ts");
      await print(Deno.stdout, completionScript(line.operand));
      return 0;
    }
    case "man": {
      const { manPage } = await import("./src/cli/man_page.ts");
      const { wallClock } = await import("./src/clock.ts");
      await print(Deno.stdout, manPage(VERSION, wallClock()));
      return 0;
    }
    case "chat":
      return await run(line.kind, line.values, () => startChat(line.values));
    case "listing":
      return await run(line.kind, line.values, () => startListing(line.values));
    case "client":
      return await talk(line);
    case "servers":
      return await listServers(line);
    case "health":
      return await watch(line);
    case "admin":
      return await administer(line);
  }

  async function startChat(values: CommandValues<"chat">) {
    const { startChat } = await import("./chat/mod.ts");
    const running = await startChat(await chatOptions(values));
    const put = async (values: CommandValues<"chat">) => running.reconfigure(await chatOptions(values));
    return {
      stop: () => running.stop(),
      ending: running.ending,
      reload: await reloading("chat", values, put),
    };
  }

  async function chatOptions(values: CommandValues<"chat">) {
    const { isDenoDeploy } = await import("./src/kv/kv.ts");
    const onDenoDeploy = isDenoDeploy(env);
    if (onDenoDeploy) await refuseOnDenoDeploy(values);
    return {
      ...await place("chat", values),
      id: values.id,
      name: values.name,
      address: values.address,
      listings: values.noListing ? [] : values.listing,
      transport: values.transport,
      allowedOrigins: values.allowedOrigins,
      workers: values.workers,
      entry: import.meta.url,
      trustProxy: values.trustProxy,
      limitLoopback: values.limitLoopback,
      onDenoDeploy,
      limits: limitsOf(values),
      adminToken: values.adminToken,
    };
  }

  /** Throws where something is asked for that the platform has itself, or has not. */
  async function refuseOnDenoDeploy({ tlsCert, transport, workers }: CommandValues<"chat">) {
    const problem = tlsCert !== undefined
      ? "On Deno Deploy TLS is the platform's: leave --tls-cert and --tls-key out"
      : transport !== "serve"
      ? "On Deno Deploy there is no --transport but serve, the platform's own: leave it out"
      : workers > 1
      ? "On Deno Deploy there are no threads to start: leave --workers out"
      : undefined;
    if (problem === undefined) return;
    const { CannotStart } = await import("./src/serving/start_failure.ts");
    throw new CannotStart(problem);
  }

  async function startListing(values: CommandValues<"listing">) {
    const { startListing } = await import("./listing/mod.ts");
    const running = await startListing(await listingOptions(values));
    const put = async (values: CommandValues<"listing">) => running.reconfigure(await listingOptions(values));
    return { stop: () => running.stop(), reload: await reloading("listing", values, put) };
  }

  async function listingOptions(values: CommandValues<"listing">) {
    return {
      ...await place("listing", values),
      checkInterval: values.checkInterval,
      trustProxy: values.trustProxy,
      limits: listingLimitsOf(values),
    };
  }

  /** What a SIGHUP does: everything is read anew, as at the start. */
  async function reloading<Values extends ListenAddress>(
    role: ServerCommand,
    values: Values,
    put: (values: Values) => Promise<Reconfigured>,
  ) {
    const { reloader } = await import("./src/serving/reload.ts");
    const read = async () => {
      const line = await readLine();
      // The arguments are the same, so it is the same command.
      return line.kind === role ? line.values as unknown as Values : line as UsageError;
    };
    return reloader({ flags: COMMANDS[role].flags, values, read, put, log: logger(role) });
  }

  /** Where a server listens, and where it keeps its data. */
  async function place(role: string, values: CommandValues<ServerCommand>) {
    const { defaultKvLocation } = await import("./src/kv/kv.ts");
    const { readTlsFiles } = await import("./src/serving/tls_files.ts");
    return {
      hostname: values.hostname,
      port: values.port,
      metricsToken: values.metricsToken,
      kv: values.kv ?? defaultKvLocation(role, env),
      tls: await readTlsFiles(values),
    };
  }
}

async function run(
  name: string,
  values: CommandValues<ServerCommand>,
  start: () => Promise<Running>,
): Promise<0 | 1> {
  const { runService } = await import("./src/serving/service.ts");
  const { status, problem } = await runService(name, start, values);
  if (problem !== undefined) await print(Deno.stderr, `chatter: ${problem}\n`);
  return status;
}

async function administer(line: AdminLine): Promise<0 | 1> {
  const { administer } = await import("./terminal/admin.ts");
  return await tell(await administer(line));
}

async function talk(line: ClientLine): Promise<0 | 1 | 2> {
  const { runClient } = await import("./terminal/client.ts");
  // Read now: what is not needed is given up before anybody else's server is spoken to.
  const [user, term] = [Deno.env.get("USER") ?? Deno.env.get("USERNAME"), Deno.env.get("TERM")];
  await keepOnlyTheNetwork();
  return await runClient(line, { user, term });
}

async function listServers(line: ServersLine): Promise<0 | 1> {
  const { listServers } = await import("./terminal/servers.ts");
  await keepOnlyTheNetwork();
  const isWatched = Deno.stderr.isTerminal();
  // Over the line before, and what it had more is cleared.
  const progress = (text: string) => isWatched ? print(Deno.stderr, `\r${text}\x1b[K`) : undefined;
  return await tell(await listServers(line, progress));
}

async function transfer(line: ExportLine | ImportLine): Promise<0 | 1> {
  const { runExport, runImport } = await import("./terminal/transfer_command.ts");
  const { CannotStart, startFailure } = await import("./src/serving/start_failure.ts");
  const around = {
    openStore: async (place: string, role: ServerCommand | undefined) => {
      const { roleOfStore } = await import("./src/kv/kv.ts");
      // An import may begin a store.
      const whose = role ?? await roleOfStore(place);
      if (whose === undefined) {
        throw new CannotStart(`The store at ${place} is no store of Chatter, or has nothing in it`);
      }
      return whose === "chat"
        ? await (await import("./chat/mod.ts")).openChatStore(place)
        : await (await import("./listing/mod.ts")).openListingStore(place);
    },
    explain: (error: unknown) => startFailure(error, { hostname: "", port: 0 }),
    stdout: (text: string) => print(Deno.stdout, text),
    stdin: Deno.stdin.readable,
  };
  const outcome = line.kind === "export" ? await runExport(line, around) : await runImport(line, around);
  if ("problem" in outcome) return await tell(outcome);
  // An export may be on stdout itself.
  await print(line.kind === "export" ? Deno.stderr : Deno.stdout, outcome.output);
  return 0;
}

async function watch(line: HealthLine): Promise<0 | 1> {
  const { checkHealth } = await import("./terminal/health.ts");
  await keepOnlyTheNetwork();
  return await tell(await checkHealth(line));
}

/** Prints what came of a command, and answers with the exit status. */
async function tell(outcome: { readonly output: string } | { readonly problem: string }): Promise<0 | 1> {
  if ("problem" in outcome) {
    await print(Deno.stderr, `chatter: ${outcome.problem}\n`);
    return 1;
  }
  await print(Deno.stdout, outcome.output);
  return 0;
}

async function print(to: { write(bytes: Uint8Array): Promise<number> }, text: string): Promise<void> {
  try {
    for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
      rest = rest.subarray(await to.write(rest));
    }
  } catch (error) {
    // Whoever reads may have read enough, as in `chatter help | head`.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

if ("DedicatedWorkerGlobalScope" in globalThis) {
  // A thread of a chat server, which has begun with this very file: it is in every form of the program.
  const { serveThread } = await import("./chat/gateway/threads/mod.ts");
  await serveThread();
} else {
  // A compiled program keeps compiled what its first start loads before it does anything else.
  if (Deno.args[0] === "chat") await import("./chat/mod.ts");
  if (Deno.args[0] === "listing") await import("./listing/mod.ts");
  Deno.exit(await main());
}
