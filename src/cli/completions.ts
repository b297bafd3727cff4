/**
 * What can follow at the end of a command line of chatter, and the scripts that make a shell offer it: at each Tab a
 * script asks `chatter __complete` for the offers.
 *
 * Pure. The script of bash uses only features of bash 3.2, the version of macOS, but was tried with newer versions only.
 *
 * @module
 */
import { COMMAND_NAMES, COMMANDS, flagName, isCommandName, syntaxesOf } from "./commands.ts";
import type { AnyFlag } from "./flag.ts";

/** The offer that asks the shell for names of files. */
const FILES = "/";

type Offer = readonly [word: string, description?: string];

const HELP: Offer = ["--help", "show help"];
const COMMAND_WORDS = COMMAND_NAMES.map((name): Offer => [name, COMMANDS[name].description]);

/**
 * The offers at the end of the text of a line, whose last word is not complete: a line for each, its description after
 * a tab. Flags are offered where the word begins with a hyphen, or where there is nothing else.
 */
export function offersFor(line: string): string {
  const [word = "", ...before] = line.split(/[\s=]+/).slice(1).reverse();
  const offers = offersAfter(before.reverse());
  const flags = offers.filter(([offer]) => offer.startsWith("-"));
  const others = offers.filter((offer) => !flags.includes(offer));
  const meant = word.startsWith("-") || others.length === 0 ? flags : others;
  return meant.filter(([offer]) => offer === FILES || offer.startsWith(word))
    .map((offer) => `${offer.join("\t")}\n`).join("");
}

function offersAfter(words: readonly string[]): Offer[] {
  const [command, action] = words;
  if (command === undefined) {
    const help: Offer = ["help", "show help, or the flags of a command"];
    return [...COMMAND_WORDS, help, HELP, ["--version", "show the version"]];
  }
  if (command === "help") return [...COMMAND_WORDS, HELP];
  if (!isCommandName(command)) return [];
  const syntaxes = syntaxesOf(command);
  const syntax = syntaxes.find((syntax) => syntax.action === "" || syntax.action === action);
  if (syntax === undefined) return [...syntaxes.map((one): Offer => [one.action, one.description]), HELP];
  const flags = Object.entries(syntax.flags).filter(([, { onlyVariable }]) => !onlyVariable);
  const [, flag] = flags.find(([key]) => flagName(key) === words.at(-1)) ?? [];
  if (flag?.placeholder !== undefined) return valuesOf(flag);
  const names = flags.map(([key, { description }]): Offer => [flagName(key), description]);
  return [...syntax.operand ? valuesOf(syntax.operand) : [], ...names, HELP];
}

function valuesOf({ words, placeholder }: AnyFlag): Offer[] {
  if (placeholder === "FILE" || placeholder === "PLACE") return [[FILES]];
  return (words ?? []).map((word) => [word]);
}

/** The script of each shell; it ends in a line break. */
export const SCRIPTS = {
  bash: `# Completions of chatter for bash. In ~/.bashrc:  eval "$(chatter completions bash)"
_chatter() {
  # To bash --flag=value is three words.
  local offer word=\${COMP_WORDS[COMP_CWORD]#=} IFS=' '
  COMPREPLY=()
  while IFS=$'\\t' read -r offer _; do
    COMPREPLY+=("$offer")
  done < <(chatter __complete "\${COMP_WORDS[*]:0:COMP_CWORD+1}" 2>/dev/null)
  if [[ \${COMPREPLY-} == ${FILES} ]]; then
    COMPREPLY=()
    compopt -o filenames 2>/dev/null
    while IFS= read -r offer; do COMPREPLY+=("$offer"); done < <(compgen -f -- "$word")
  fi
}
complete -F _chatter chatter
`,
  zsh: `#compdef chatter
# Completions of chatter for zsh. In ~/.zshrc, after compinit:  source <(chatter completions zsh)
# or as a file named _chatter in a folder of $fpath.
_chatter() {
  local -a offers
  offers=("\${(@f)$(chatter __complete "\${words[1,CURRENT]}" 2>/dev/null)}")
  if [[ $PREFIX == --*=* ]]; then compset -P '*='; fi
  if [[ $offers[1] == ${FILES} ]]; then
    _files
  elif [[ -n $offers[1] ]]; then
    offers=("\${(@)offers/$'\\t'/:}")
    _describe word offers
  fi
}
if [[ $funcstack[1] == _chatter ]]; then
  _chatter "$@"
else
  compdef _chatter chatter
fi
`,
  fish: `# Completions of chatter for fish. In ~/.config/fish/config.fish:  chatter completions fish | source
function __chatter_offers
    set -l prefix (string match --regex -- '^--.*?=' (commandline -ct); or echo)
    for offer in (chatter __complete (commandline -cp | string collect) 2>/dev/null)
        if test "$offer" = ${FILES}
            string join \\n -- $prefix(__fish_complete_path (string replace -- "$prefix" '' (commandline -ct)))
        else
            string join \\n -- $prefix$offer
        end
    end
end
complete -c chatter -f -a '(__chatter_offers)'
`,
};
