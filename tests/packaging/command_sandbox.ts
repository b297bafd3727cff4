/**
 * Runs what the documents tell to type: the `sh` blocks of one document, from its top to its end, by one bash in a
 * folder of its own, as somebody does who follows it.
 *
 * Servers go to the background until the document ends, on free ports in place of those that the documents name.
 * What is not run is marked, CONTRIBUTING.md says how. It judges statuses and what stands behind a `$` command.
 *
 * @module
 */
import { DEFAULT_PORT } from "../../src/announcement/announcement.ts";
import { type FencedBlock, fencedBlocks } from "../support/documents.ts";
import { freePort } from "../support/free_port.ts";
import { commandLine } from "../support/program.ts";
import { toolPath } from "./tool_path.ts";

/** Seconds for one document; never waited out otherwise. */
const PATIENCE_SECONDS = 240;
/** Programs without which nothing is run. */
const NEEDED = ["bash", "curl", "openssl", "timeout"];
const SHELLS = ["bash", "shell", "console", "zsh", "fish", "terminal", "powershell", "cmd", "shellsession"];
const LISTING_PORT = 8000;
/** Ports that documents name, each replaced by a free one. */
const PORTS = [DEFAULT_PORT, DEFAULT_PORT + 1, LISTING_PORT, LISTING_PORT + 1];
/** Hosts that documents name, and the port that whoever names no other means. */
const HOSTS: readonly (readonly [host: string, port: number])[] = [
  ["chat.example", DEFAULT_PORT],
  ["list.example", LISTING_PORT],
];

/** What becomes of a block of commands. */
export type Fate =
  | { readonly kind: "run" }
  | { readonly kind: "run elsewhere"; readonly test: string }
  | { readonly kind: "not run"; readonly reason: string };

export interface CommandBlock extends FencedBlock {
  readonly file: string;
  readonly fate: Fate;
}

/** The blocks of commands of a document. Throws at one that is neither run nor rightly marked. */
export function commandBlocks(file: string, markdown: string): CommandBlock[] {
  return fencedBlocks(markdown).flatMap((block) => {
    const language = block.info.split(/\s+/)[0] ?? "";
    const place = `${file}:${block.line}`;
    if (language === "") throw new Error(`${place}: a block says in which language it is`);
    if (SHELLS.includes(language)) throw new Error(`${place}: commands stand in a block of sh`);
    return language === "sh" ? [{ ...block, file, fate: fateOf(block, place) }] : [];
  });
}

function fateOf({ comment }: FencedBlock, place: string): Fate {
  const [, test] = /^run by (\S+_test\.ts)$/.exec(comment ?? "") ?? [];
  if (test !== undefined) return { kind: "run elsewhere", test };
  const [, reason] = /^not run: (.{10,})$/.exec(comment ?? "") ?? [];
  if (reason !== undefined) return { kind: "not run", reason };
  if (/\brun\b/.test(comment ?? "")) throw new Error(`${place}: no mark that means something: ${comment}`);
  return { kind: "run" };
}

/** A file that a document shows, by a block whose language is followed by the file's name, as `json chatter.json`. */
export interface ShownFile {
  readonly name: string;
  readonly text: string;
}

export function shownFiles(markdown: string): ShownFile[] {
  return fencedBlocks(markdown).flatMap(({ info, lines }) => {
    const name = /^[a-z]+ ((?:[a-z_]+\/)*[a-z_]+\.[a-z]+)$/.exec(info)?.[1];
    return name === undefined ? [] : [{ name, text: lines.join("\n") + "\n" }];
  });
}

/** Whether what is needed to run commands is there. */
export function mayRunCommands(): boolean {
  return NEEDED.map(toolPath).every((path) => path !== undefined);
}

/**
 * Runs blocks of one document in their order, among the files that it shows. Throws at the first whose commands fail
 * or write something else.
 */
export async function runBlocks(
  blocks: readonly CommandBlock[],
  files: readonly ShownFile[] = [],
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chatter_document_" });
  try {
    const { script, expected } = scriptOf(blocks, folder);
    await Deno.mkdir(`${folder}/home`);
    for (const { name, text } of files) {
      const path = `${folder}/work/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, text);
    }
    await Deno.writeTextFile(`${folder}/script`, script);
    const inherited = Object.entries(Deno.env.toObject()).filter(([name]) => !/^(?:CHATTER|XDG)_/.test(name));
    // By `timeout`, which ends everything that the script has started with it.
    const { success, stdout, stderr } = await new Deno.Command("timeout", {
      args: ["--kill-after=5", String(PATIENCE_SECONDS), "bash", `${folder}/script`],
      env: {
        ...Object.fromEntries(inherited),
        NO_COLOR: "1",
        HOME: `${folder}/home`,
        DENO_DIR: await denoDir(),
      },
      clearEnv: true,
      stdin: "null",
    }).output();
    if (!success) {
      const place = await Deno.readTextFile(`${folder}/place`).catch(() => "");
      throw new Error(`${place.trim()} fails:\n${decode(stdout)}${decode(stderr)}`);
    }
    for (const [number, { place, lines }] of expected.entries()) {
      const written = await Deno.readTextFile(`${folder}/written_${number}`);
      if (!isLike(lines.join("\n"), written)) {
        throw new Error(
          `${place} writes something else:\n${written}\nwhere the document has\n${lines.join("\n")}`,
        );
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Expected {
  readonly place: string;
  readonly lines: string[];
}

function scriptOf(blocks: readonly CommandBlock[], folder: string): { script: string; expected: Expected[] } {
  const ports = new Map(PORTS.map((port) => [port, freePort()]));
  const expected: Expected[] = [];
  const parts = blocks.flatMap(({ file, line, lines }) => {
    const note = (line: number) => `echo '${file}:${line}' > '${folder}/place'`;
    if (!lines[0]?.startsWith("$ ")) return [note(line), withPorts(lines.join("\n"), ports)];
    return lines.map((text, i) => {
      if (!text.startsWith("$ ")) {
        expected.at(-1)!.lines.push(text);
        return "";
      }
      expected.push({ place: `${file}:${line + 1 + i}`, lines: [] });
      const command = withPorts(text.slice(2), ports);
      return `${note(line + 1 + i)}\n{ ${command}\n} > '${folder}/written_${expected.length - 1}'`;
    });
  });
  return { script: [prelude(folder, ports), ...parts].join("\n") + "\n", expected };
}

/** What stands for the program, for Deno and for npx; a server is in the background once it listens. */
function prelude(folder: string, ports: ReadonlyMap<number, number>): string {
  const program = commandLine().map((word) => `'${word}'`).join(" ");
  const [chat, listing] = [ports.get(DEFAULT_PORT), ports.get(LISTING_PORT)];
  const others = `CHATTER_LISTING=http://127.0.0.1:${listing} CHATTER_SERVER=http://127.0.0.1:${chat}`;
  return `set -eo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
mkdir -p '${folder}/work'; cd '${folder}/work'
export XDG_DATA_HOME='${folder}/home/data'
declare -A running=()
chatter() {
  local port=${chat} log pid
  [[ \${1:-} != listing ]] || port=${listing}
  case "\${1:-}" in
    chat | listing) ;;
    admin | servers | export | import) ${others} ${program} "$@"; return ;;
    health) [[ $# -gt 1 ]] || set -- health http://127.0.0.1:$port; ${program} "$@"; return ;;
    *) ${program} "$@"; return ;;
  esac
  if [[ " $* " =~ \\ --port[=\\ ]([0-9]+)\\  ]]; then port=\${BASH_REMATCH[1]}; fi
  log='${folder}/'$port.log
  if [[ -n \${running[$port]:-} ]]; then kill "\${running[$port]}"; wait "\${running[$port]}" || true; fi
  : >"$log"
  CHATTER_HOSTNAME=127.0.0.1 CHATTER_PORT=$port CHATTER_LOG_FORMAT=json ${others} ${program} "$@" >/dev/null 2>"$log" & pid=$!
  running[$port]=$pid
  settled listening
  if [[ $1 == chat && -n \${running[${listing}]:-} && " $* " != *" --no-listing "* ]]; then settled listing.registered; fi
}
settled() {
  until grep -q "\\"$1\\"" "$log"; do kill -0 $pid 2>/dev/null || { cat "$log" >&2; return 1; }; sleep 0.02; done
}
deno() {
  if [[ $# -eq 1 && $1 == task ]]; then (cd '${ROOT}'; '${Deno.execPath()}' task); return; fi
  case "\${1:-} \${2:-}" in
    "task start") chatter listing; chatter chat "\${@:3}" ;;
    "task chat" | "task listing" | "task admin" | "task client" | "task servers") chatter "\${@:2}" ;;
    *) echo "deno $*: such a block is marked, CONTRIBUTING.md" >&2; return 1 ;;
  esac
}
npx() {
  [[ "$1 $2" == "-y deno@"* ]] || { echo "npx $*: such a block is marked, CONTRIBUTING.md" >&2; return 1; }
  deno "\${@:3}"
}`;
}

const ROOT = new URL("../../", import.meta.url).pathname;

function withPorts(text: string, ports: ReadonlyMap<number, number>): string {
  let out = text;
  for (const [host, port] of HOSTS) {
    out = out.replaceAll(
      new RegExp(`\\b${host.replace(".", "\\.")}(:[0-9]+)?`, "g"),
      (_, own?: string) => `localhost${own ?? `:${port}`}`,
    );
  }
  for (const [port, free] of ports) out = out.replaceAll(new RegExp(`\\b${port}\\b`, "g"), String(free));
  return out;
}

/**
 * Whether what was written is what a document shows: numbers, ids and widths may differ, and a line `...` stands
 * for any lines.
 */
export function isLike(shown: string, written: string): boolean {
  const pattern = alike(shown).split("\n").map((line) =>
    line === "..." ? "(?:.*\n)*?" : `${line.replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&")}\n`
  ).join("");
  return new RegExp(`^${pattern}$`, "u").test(`${alike(written)}\n`);
}

/** A text without what differs from run to run. */
function alike(text: string): string {
  return text.trim().replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/\d+/g, "0").replaceAll(/ +$/gm, "").replaceAll(/ {2,}/g, "  ").replaceAll(/-{3,}/g, "---");
}

async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(decode(stdout)).denoDir;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
