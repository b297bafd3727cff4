/**
 * The program `chatter`, from its arguments to its exit status. Only this file imports the chat server, the listing and
 * the terminal commands, each on demand, so that a command loads no more than it needs.
 *
 * @module
 */
import { promptSecret } from "@std/cli/prompt-secret";
import type { TransferStore } from "./src/kv/transfer.ts";
import { type CommandLine, type LineOf, parseCommandLine, type RoleValues } from "./src/cli/command_line.ts";
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
import { writeAll } from "./src/write_all.ts";
import type { CommandOutcome } from "./terminal/problem.ts";

/** 0: done or stopped. 1: cannot run, or refused. 2: wrong command line, variable or configuration file. */
type Status = 0 | 1 | 2;

async function main(): Promise<Status> {
  try {
    return await run(readLine());
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await report({ problem: error.message });
    return 2;
  }
}

function readLine(): CommandLine {
  const isTerminal = Deno.stderr.isTerminal();
  return parseCommandLine(Deno.args, { env, isTerminal, askSecret, readFile: Deno.readTextFileSync });
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
      if (Deno.args.length === 0) await wantRoleOnDenoDeploy();
      return await report({ output: helpText(line.topic) });
    case "version":
      return await report({ output: `${versionLine()}\n` });
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
      return await report({ output: (await import("./terminal/config.ts")).showConfig(line, env) });
    case "health": {
      const { checkHealth } = await import("./terminal/health.ts");
      await keepOnlyTheNetwork();
      return await report(await checkHealth(line));
    }
    case "admin":
      return await report(await (await import("./terminal/admin.ts")).administer(line));
    case "cluster": {
      if (line.action === "refound") return await refound(line.values.kv);
      const { checkCluster } = await import("./chat/mod.ts");
      const { showFindings } = await import("./terminal/cluster.ts");
      const { outcome, isBad } = showFindings(await checkCluster(line.values), line.values);
      const status = await report(outcome);
      return isBad ? 1 : status;
    }
    case "completions":
      return await report({ output: (await import("./src/cli/completions.ts")).SCRIPTS[line.operand] });
    case "offers":
      return await report({ output: (await import("./src/cli/completions.ts")).offersFor(line.line) });
    case "man": {
      const { wallClock } = await import("./src/clock.ts");
      return await report({ output: (await import("./src/cli/man_page.ts")).manPage(VERSION, wallClock()) });
    }
  }
}

interface Server<Options> {
  stop(): Promise<void>;
  reconfigure(next: Options): Promise<Reconfigured>;
  readonly ending?: Promise<string>;
}

/** Runs a server to its end. At a SIGHUP, the whole configuration is read again. */
async function runServer<Name extends Role, Options>(
  { kind: role, values }: { readonly kind: Name; readonly values: RoleValues<Name> },
  optionsOf: (values: RoleValues<Name>) => Promise<Options>,
  start: (options: Options, stopping: AbortSignal) => Promise<Server<Options>>,
): Promise<Status> {
  const { runService } = await import("./src/serving/service.ts");
  const { status, problem } = await runService(role, async (stopping) => {
    const running = await start(await optionsOf(values), stopping);
    const { reloader } = await import("./src/serving/reload.ts");
    const reload = reloader({
      flags: COMMANDS[role].flags,
      values,
      // The same arguments give the same command.
      read: () => (readLine() as LineOf<Role>).values as RoleValues<Name>,
      put: async (next) => running.reconfigure(await optionsOf(next)),
      log: logger(role),
    });
    return { stop: () => running.stop(), ending: running.ending, reload };
  }, values);
  return problem === undefined ? status : await report({ problem });
}

async function chatOptions(values: RoleValues<"chat">) {
  await refuseOnDenoDeploy(values);
  const { cluster } = values;
  return {
    ...values,
    ...await serverOptions("chat", values),
    listings: values.noListing ? [] : values.listing,
    entry: import.meta.url,
    limits: limitsOf(LIMITS, values),
    cluster: cluster && { ...values, cluster },
  };
}

async function listingOptions(values: RoleValues<"listing">) {
  return {
    ...values,
    ...await serverOptions("listing", values),
    limits: limitsOf(LISTING_LIMITS, values),
  };
}

/** The options that depend on more than the flags. */
async function serverOptions(role: Role, { hostname, kv, tlsCert, tlsKey }: RoleValues<Role>) {
  const { defaultKvLocation, isDenoDeploy } = await import("./src/kv/kv.ts");
  const { readTlsFiles } = await import("./src/serving/tls_files.ts");
  const { anyAddress } = await import("./src/serving/any_address.ts");
  return {
    hostname: hostname ?? await anyAddress(),
    kv: kv ?? defaultKvLocation(role, env),
    tls: await readTlsFiles({ tlsCert, tlsKey }),
    onDenoDeploy: isDenoDeploy(env),
  };
}

/** Throws on Deno Deploy if a flag asks for something that it provides itself, or does not have. */
async function refuseOnDenoDeploy(values: RoleValues<"chat">): Promise<void> {
  const { isDenoDeploy } = await import("./src/kv/kv.ts");
  if (!isDenoDeploy(env)) return;
  const { CannotStart } = await import("./src/serving/start_failure.ts");
  const refused: [boolean, string][] = [
    [values.tlsCert !== undefined, "provides TLS itself: leave out --tls-cert and --tls-key"],
    [values.transport !== "serve", "supports only --transport serve: leave it out"],
    [values.workers > 1, "has no threads: leave out --workers"],
    [values.cluster !== undefined, "runs one instance of a room at a time: leave out --cluster"],
  ];
  for (const [isGiven, reason] of refused) if (isGiven) throw new CannotStart(`Deno Deploy ${reason}`);
}

/** Throws on Deno Deploy, where a program that only shows its help is taken for a server that works. */
async function wantRoleOnDenoDeploy(): Promise<void> {
  const { isDenoDeploy } = await import("./src/kv/kv.ts");
  if (!isDenoDeploy(env)) return;
  throw new UsageError("CHATTER_ROLE is not set in this context of Deno Deploy; allowed: chat or listing");
}

async function talk(line: LineOf<"client">): Promise<Status> {
  const { runClient } = await import("./terminal/client.ts");
  // Read now: the permissions are given up before the client talks to a server.
  const [user, term] = [env("USER") ?? env("USERNAME"), env("TERM")];
  await keepOnlyTheNetwork();
  return await runClient(line, { user, term });
}

async function listServers(line: LineOf<"servers">): Promise<Status> {
  const { listServers } = await import("./terminal/servers.ts");
  await keepOnlyTheNetwork();
  const isWatched = Deno.stderr.isTerminal();
  // Overwrites the previous line, and clears the rest of it.
  const progress = async (text: string) => {
    if (isWatched) await print(Deno.stderr, `\r${text}\x1b[K`).catch(() => {});
  };
  return await report(await listServers(line, progress));
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
  if (line.kind === "import") return await report(await runImport(line, around));
  // The export itself may go to stdout.
  return await report(await runExport(line, around), Deno.stderr);
}

async function refound(place: string): Promise<Status> {
  const { refoundCluster } = await import("./chat/mod.ts");
  const { startFailure } = await import("./src/serving/start_failure.ts");
  try {
    await refoundCluster(place);
  } catch (error) {
    const problem = startFailure(error, { hostname: "", port: 0 });
    if (problem === undefined) throw error;
    return await report({ problem });
  }
  return await report({
    output:
      `${place} begins a new log when its node starts next. Start it before the others, whose stores must be new.\n`,
  });
}

/** Opens a store as the one of `role`, or as the one of the role that wrote it. */
async function openStore(place: string, role: Role | undefined): Promise<TransferStore> {
  const { roleOfStore } = await import("./src/kv/kv.ts");
  const owner = role ?? await roleOfStore(place);
  if (owner === "chat") return await (await import("./chat/mod.ts")).openChatStore(place);
  if (owner === "listing") return await (await import("./listing/mod.ts")).openListingStore(place);
  const { CannotStart } = await import("./src/serving/start_failure.ts");
  throw new CannotStart(`The store at ${place} is empty, or is not a store of Chatter`);
}

function env(name: string): string | undefined {
  return Deno.env.get(name);
}

/** Prints the outcome of a command, and returns the exit status. */
async function report(outcome: CommandOutcome, to: typeof Deno.stdout = Deno.stdout): Promise<0 | 1> {
  let shown = outcome;
  if ("output" in shown) {
    try {
      await print(to, shown.output);
      return 0;
    } catch (error) {
      const { reasonOf } = await import("./terminal/problem.ts");
      shown = { problem: `Cannot write the output: ${reasonOf(error)}` };
    }
  }
  // Where stderr cannot be written either, the status alone says it.
  await print(Deno.stderr, `chatter: ${shown.problem}\n`).catch(() => {});
  return 1;
}

/** Rejects if the output cannot be written, but not if its reader has enough, as in `chatter help | head`. */
async function print(to: typeof Deno.stdout, text: string): Promise<void> {
  try {
    await writeAll(to, text);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

if ("DedicatedWorkerGlobalScope" in globalThis) {
  // A worker thread of a chat server. Its entry is this file, which every form of the program contains.
  const { serveThread } = await import("./chat/gateway/threads/mod.ts");
  await serveThread();
} else {
  // A compiled program caches the modules that its first start loads before anything else.
  if (Deno.args[0] === "chat") await import("./chat/mod.ts");
  if (Deno.args[0] === "listing") await import("./listing/mod.ts");
  Deno.exit(await main());
}
