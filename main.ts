/**
 * The program `chatter`: from its arguments to its exit status. The only place that knows the chat server, the
 * listing and the commands for a terminal; each is loaded when it is asked for, so that help does not wait for them.
 *
 * @module
 */
import { promptSecret } from "@std/cli/prompt-secret";
import type { TransferStore } from "./src/kv/transfer.ts";
import { type CommandLine, type LineOf, readCommandLine, type RoleValues } from "./src/cli/command_line.ts";
import { COMMANDS, type Role } from "./src/cli/commands.ts";
import { UsageError } from "./src/cli/flag.ts";
import { helpText } from "./src/cli/help_text.ts";
import { limitsOf } from "./src/cli/server_flags.ts";
import { LISTING_LIMITS } from "./src/announcement/listing_limits.ts";
import { logger } from "./src/logging/log.ts";
import { LIMITS } from "./src/protocol/limits.ts";
import { keepOnlyTheNetwork } from "./src/serving/permissions.ts";
import type { Reconfigured } from "./src/serving/reload.ts";
import { VERSION, versionLine } from "./src/version.ts";
import type { Outcome } from "./terminal/problem.ts";

/** 0 done or stopped, 1 cannot run or was refused, 2 the command line or the configuration is wrong. */
type Status = 0 | 1 | 2;

async function main(): Promise<Status> {
  try {
    return await run(await readLine());
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await tell({ problem: error.message });
    return 2;
  }
}

function readLine(): Promise<CommandLine> {
  return readCommandLine(Deno.args, {
    env,
    isTerminal: Deno.stderr.isTerminal(),
    askSecret,
    readFile: (path) => Deno.readTextFile(path),
  });
}

/** Asks a person for the secret of a flag; undefined where no person can answer. */
function askSecret(flag: string): string | undefined {
  // The question goes to stdout, which may be a file.
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return undefined;
  // Before the question: a fast answer would be echoed until promptSecret does the same.
  Deno.stdin.setRaw(true);
  return promptSecret(`${flag}:`) || undefined;
}

async function run(line: CommandLine): Promise<Status> {
  switch (line.kind) {
    case "help":
      return await tell({ output: helpText(line.topic) });
    case "version":
      return await tell({ output: `${versionLine()}\n` });
    case "chat":
      return await runServer(line, chatOptions, (await import("./chat/mod.ts")).startChat);
    case "listing":
      return await runServer(line, listingOptions, (await import("./listing/mod.ts")).startListing);
    case "client":
      return await talk(line);
    case "servers":
      return await listServers(line);
    case "export":
    case "import":
      return await transfer(line);
    case "config":
      return await tell({ output: (await import("./terminal/config.ts")).showConfig(line, env) });
    case "health": {
      const { checkHealth } = await import("./terminal/health.ts");
      await keepOnlyTheNetwork();
      return await tell(await checkHealth(line));
    }
    case "admin":
      return await tell(await (await import("./terminal/admin.ts")).administer(line));
    case "completions":
      return await tell({
        output: (await import("./src/cli/completions/script.ts")).completionScript(line.operand),
      });
    case "man": {
      const { wallClock } = await import("./src/clock.ts");
      return await tell({ output: (await import("./src/cli/man_page.ts")).manPage(VERSION, wallClock()) });
    }
  }
}

interface Server<Options> {
  stop(): Promise<void>;
  reconfigure(next: Options): Promise<Reconfigured>;
  readonly ending?: Promise<string>;
}

/** Runs a server to its end. At a SIGHUP everything is read again, as at the start. */
async function runServer<Name extends Role, Options>(
  { kind: role, values }: LineOf<Name>,
  optionsOf: (values: RoleValues<Name>) => Promise<Options>,
  start: (options: Options) => Promise<Server<Options>>,
): Promise<Status> {
  const { runService } = await import("./src/serving/service.ts");
  const { status, problem } = await runService(role, async () => {
    const running = await start(await optionsOf(values));
    const { reloader } = await import("./src/serving/reload.ts");
    const reload = reloader({
      flags: COMMANDS[role].flags,
      values,
      // The arguments are the same, and so is the command.
      read: async () => (await readLine() as LineOf<Name>).values,
      put: async (next) => running.reconfigure(await optionsOf(next)),
      log: logger(role),
    });
    return { stop: () => running.stop(), ending: running.ending, reload };
  }, values);
  return problem === undefined ? status : await tell({ problem });
}

async function chatOptions(values: RoleValues<"chat">) {
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
    limits: limitsOf(LIMITS, values),
    adminToken: values.adminToken,
  };
}

/** Throws where something is asked for that the platform has itself, or has not. */
async function refuseOnDenoDeploy({ tlsCert, transport, workers }: RoleValues<"chat">): Promise<void> {
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

async function listingOptions(values: RoleValues<"listing">) {
  return {
    ...await place("listing", values),
    checkInterval: values.checkInterval,
    trustProxy: values.trustProxy,
    limits: limitsOf(LISTING_LIMITS, values),
  };
}

/** Where a server listens, and where it keeps its data. */
async function place(role: Role, values: RoleValues<Role>) {
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

async function talk(line: LineOf<"client">): Promise<Status> {
  const { runClient } = await import("./terminal/client.ts");
  // Read now: what is not needed is given up before anybody else's server is spoken to.
  const [user, term] = [env("USER") ?? env("USERNAME"), env("TERM")];
  await keepOnlyTheNetwork();
  return await runClient(line, { user, term });
}

async function listServers(line: LineOf<"servers">): Promise<Status> {
  const { listServers } = await import("./terminal/servers.ts");
  await keepOnlyTheNetwork();
  const isWatched = Deno.stderr.isTerminal();
  // Over the line before, and what it had more is cleared.
  const progress = (text: string) => isWatched ? print(Deno.stderr, `\r${text}\x1b[K`) : undefined;
  return await tell(await listServers(line, progress));
}

async function transfer(line: LineOf<"export"> | LineOf<"import">): Promise<Status> {
  const { runExport, runImport } = await import("./terminal/transfer_command.ts");
  const { startFailure } = await import("./src/serving/start_failure.ts");
  const around = {
    openStore,
    explain: (error: unknown) => startFailure(error, { hostname: "", port: 0 }),
    stdout: (text: string) => print(Deno.stdout, text),
    stdin: Deno.stdin.readable,
  };
  if (line.kind === "import") return await tell(await runImport(line, around));
  // The export itself may be on stdout.
  return await tell(await runExport(line, around), Deno.stderr);
}

/** Opens the store of a role: of `role`, since an import may begin a store, or of the one whose it is. */
async function openStore(place: string, role: Role | undefined): Promise<TransferStore> {
  const { roleOfStore } = await import("./src/kv/kv.ts");
  const owner = role ?? await roleOfStore(place);
  if (owner === "chat") return await (await import("./chat/mod.ts")).openChatStore(place);
  if (owner === "listing") return await (await import("./listing/mod.ts")).openListingStore(place);
  const { CannotStart } = await import("./src/serving/start_failure.ts");
  throw new CannotStart(`The store at ${place} is no store of Chatter, or has nothing in it`);
}

function env(name: string): string | undefined {
  return Deno.env.get(name);
}

/** Prints what came of a command, and answers with the exit status. */
async function tell(outcome: Outcome, to: Output = Deno.stdout): Promise<0 | 1> {
  if ("output" in outcome) await print(to, outcome.output);
  else await print(Deno.stderr, `chatter: ${outcome.problem}\n`);
  return "output" in outcome ? 0 : 1;
}

type Output = { write(bytes: Uint8Array): Promise<number> };

async function print(to: Output, text: string): Promise<void> {
  try {
    for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
      rest = rest.subarray(await to.write(rest));
    }
  } catch (error) {
    // The reader may have read enough, as in `chatter help | head`.
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
