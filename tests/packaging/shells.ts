/**
 * The shells that chatter completes for, asked what they offer: bash and fish by their own commands for that, zsh on a
 * pseudo-terminal by what its completion adds, and bash and zsh by a Tab as well.
 *
 * @module
 */

/** Milliseconds after which a shell that does not end fails the test. */
const PATIENCE_MS = 180_000;
const PROMPT = "READY> ";
/** Between what is offered for one line and for the next. */
const MARK = "---";
const TAB = "\t";
/** The key by which zsh sets the mark. */
const MARK_KEY = "\x14";

/** What bash offers at the end of each line, by the completions in `file`. */
export async function bashOffers(file: string, lines: readonly string[]): Promise<string[][]> {
  // As readline cuts a line: an equals sign is a word of its own.
  const words = lines.map((line) => line.split(" ").flatMap((word) => word.split(/(?==)|(?<==)/)));
  const program = [
    "set -u",
    `source ${file}`,
    "function offer() {",
    `  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _chatter; printf '%s\\n' "\${COMPREPLY[@]}"; echo ${MARK}`,
    "}",
    ...words.map((line) => `offer ${line.map((word) => `'${word}'`).join(" ")}`),
  ];
  const args = ["--noprofile", "--norc", "-c", program.join("\n")];
  return offersIn(await outputOf("bash", args, withFolder(file)));
}

/** What fish offers at the end of each line, without the descriptions. */
export async function fishOffers(file: string, lines: readonly string[]): Promise<string[][]> {
  const program = `source ${file}; for line in $argv; complete -C $line; echo ${MARK}; end`;
  const output = await outputOf("fish", ["--no-config", "-c", program, "--", ...lines], withFolder(file));
  return offersIn(output.replaceAll(/\t.*$/gm, ""));
}

/** What the completion of zsh adds at the end of each line. */
export async function zshOffers(file: string, lines: readonly string[], folder: string): Promise<string[][]> {
  const added = `${folder}/added`;
  const hook = `
    setopt no_auto_list
    compadd() {
      if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
      local -a hits
      builtin compadd -A hits "$@"
      print -rl -- $hits >>${added}
      builtin compadd "$@"
    }
    mark() { print -r -- ${MARK} >>${added}; BUFFER= }
    zle -N mark
    bindkey '${MARK_KEY}' mark`;
  const keys = lines.map((line) => line + TAB + MARK_KEY).join("");
  await typed("zsh", file, folder, keys, hook);
  return offersIn(await Deno.readTextFile(added));
}

/**
 * What `chatter` is run with when somebody types each of `lines` on a terminal, with a Tab at its end, and Enter.
 */
export async function tabbed(
  shell: "bash" | "zsh",
  file: string,
  folder: string,
  lines: readonly string[],
): Promise<string[]> {
  const output = await typed(shell, file, folder, lines.map((line) => `${line}${TAB}\r`).join(""));
  return [...output.matchAll(/^ran:(.*?) *\r$/gm)].map(([, words = ""]) => words);
}

/** Starts the shell on a terminal with the completions in `file`, types `keys`, and answers with what was to be seen. */
async function typed(
  shell: "bash" | "zsh",
  file: string,
  folder: string,
  keys: string,
  setup = "",
): Promise<string> {
  const [rc, command, own] = shell === "zsh"
    ? [".zshrc", "zsh -d -i", `autoload -U compinit; compinit -D -u; unsetopt prompt_cr prompt_sp; PROMPT=`]
    : [".bashrc", `bash --noprofile --rcfile ${folder}/.bashrc -i`, "PS1="];
  await Deno.writeTextFile(`${folder}/${rc}`, `${own}'${PROMPT}'\nsource ${file}\n${setup}\n`);
  const child = new Deno.Command("script", {
    args: ["--quiet", "--flush", "--command", command, "/dev/null"],
    env: {
      ...withFolder(file),
      ZDOTDIR: folder,
      HOME: folder,
      SHELL: "/bin/sh",
      TERM: "dumb",
      INPUTRC: "/dev/null",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const input = child.stdin.getWriter();
  let output = "";
  let isTyped = false;
  try {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      output += text;
      // What is typed before a shell reads its keys is the terminal's to edit.
      if (isTyped || !output.includes(PROMPT)) continue;
      isTyped = true;
      await input.write(new TextEncoder().encode(`${keys}exit\r`));
    }
  } finally {
    clearTimeout(patience);
    await input.close().catch(() => {/* It has ended. */});
    await child.status;
  }
  return output;
}

/** The variables by which a shell finds the command `chatter` beside the completions in `file`. */
function withFolder(file: string): { PATH: string } {
  return { PATH: `${file.slice(0, file.lastIndexOf("/"))}:${Deno.env.get("PATH")}` };
}

async function outputOf(command: string, args: readonly string[], env: { PATH: string }): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(command, { args: [...args], env, stdin: "null" })
    .output();
  const [out = "", problems = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (problems !== "") throw new Error(`${command} says: ${problems}`);
  return out;
}

/** The words before each mark, sorted, each once. */
function offersIn(text: string): string[][] {
  return text.split(`${MARK}\n`).slice(0, -1).map((part) =>
    [...new Set(part.split("\n").map((word) => word.replace(/[= ]+$/, "")).filter((word) => word !== ""))]
      .sort()
  );
}
