/**
 * The scripts that make a shell complete command lines of chatter. Each is the same table of offers, made from the
 * table of commands, and a function of that shell that looks up the place of the cursor.
 *
 * Pure. Loaded for `chatter completions` alone. The script of bash uses only features of bash 3.2, the version of
 * macOS, but was tried with newer versions only.
 *
 * @module
 */
import { COMMAND_NAMES, COMMANDS, flagName, type Syntax, syntaxesOf } from "./commands.ts";
import type { AnyFlag } from "./flag.ts";

/** The word that means names of files. */
const FILES = "/";

type Word = readonly [word: string, description: string];
/** What may follow the words `place`: a word; FILES; or an empty word, with the placeholder as its description. */
type Offer = readonly [place: string, ...Word];

const HELP: Word = ["--help", "show help"];
const VERSION: Word = ["--version", "show the version"];
const COMMAND_WORDS = COMMAND_NAMES.map((name): Word => [name, COMMANDS[name].description]);

/** The place of a flag's value is the line and the flag, as in `chat --port`. */
const OFFERS: readonly Offer[] = [
  ...at("", [...COMMAND_WORDS, ["help", "show help, or the flags of a command"], HELP, VERSION]),
  ...at("help", [...COMMAND_WORDS, HELP]),
  ...COMMAND_NAMES.flatMap((command) => {
    const syntaxes = syntaxesOf(command);
    const actions = syntaxes.flatMap(({ action, description }): Word[] =>
      action ? [[action, description]] : []
    );
    return [...at(command, actions.length > 0 ? [...actions, HELP] : []), ...syntaxes.flatMap(offersOf)];
  }),
];

function offersOf({ title, operand, flags }: Syntax): Offer[] {
  const typed = Object.entries(flags).filter(([, { onlyVariable }]) => !onlyVariable);
  return [
    ...at(title, valuesOf(operand)),
    ...at(title, [...typed.map(([key, flag]): Word => [flagName(key), flag.description]), HELP]),
    ...typed.flatMap(([key, flag]) => at(`${title} ${flagName(key)}`, valuesOf(flag))),
  ];
}

function valuesOf({ words, placeholder }: Partial<AnyFlag> = {}): Word[] {
  if (placeholder === undefined) return [];
  if (words !== undefined) return words.map((word) => [word, ""]);
  return [[placeholder === "FILE" || placeholder === "PLACE" ? FILES : "", placeholder]];
}

function at(place: string, words: readonly Word[]): Offer[] {
  return words.map((word) => [place, ...word]);
}

/** The offers as one word of any of the shells. */
const TABLE = `'${OFFERS.map((offer) => offer.join("|")).join("\n").replaceAll("'", `'\\''`)}'`;

/**
 * The scripts. In each, the place is the command, then its action and the flag before the cursor where the table has
 * them. Flags are offered where the word begins with a hyphen, or where there is nothing else.
 */
const SCRIPTS = {
  bash: `# Completions of chatter for bash. In ~/.bashrc:  eval "$(chatter completions bash)"
_chatter_table=${TABLE}
_chatter_has() { [[ $_chatter_table == *$'\\n'"$1|"* ]]; }
_chatter() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} second=\${COMP_WORDS[2]-}
  local place="" words="" flags="" files="" at found IFS=$' \\t\\n'
  # To bash --flag=value is three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD > 1)); then place=\${COMP_WORDS[1]}; fi
  if ((COMP_CWORD > 2)) && [[ $second != -* ]] && _chatter_has "$place $second"; then place="$place $second"; fi
  if _chatter_has "$place $before"; then place="$place $before"; fi
  while IFS='|' read -r at found _; do
    if [[ $at == "$place" ]]; then
      case $found in
      ${FILES}) files=1 ;;
      -*) flags="$flags $found" ;;
      ?*) words="$words $found" ;;
      esac
    fi
  done <<<"$_chatter_table"
  if [[ $word == -* || -z $words$files ]]; then words=$flags files=; fi
  COMPREPLY=()
  if [[ -n $files ]]; then compopt -o filenames 2>/dev/null; fi
  while IFS= read -r found; do COMPREPLY+=("$found"); done < <(
    if [[ -n $files ]]; then compgen -f -- "$word"; else compgen -W "$words" -- "$word"; fi
  )
}
complete -F _chatter chatter
`,
  zsh: `#compdef chatter
# Completions of chatter for zsh. In ~/.zshrc, after compinit:  source <(chatter completions zsh)
# or as a file named _chatter in a folder of $fpath.
_chatter_table=${TABLE}
_chatter_has() { [[ $_chatter_table == *$'\\n'"$1|"* ]] }
_chatter() {
  local before=$words[CURRENT-1] place row found hint files
  local -a offered flags
  if [[ $PREFIX == --*=* ]]; then
    before=\${PREFIX%%=*}
    compset -P '*='
  fi
  if ((CURRENT > 2)); then place=$words[2]; fi
  if ((CURRENT > 3)) && [[ $words[3] != -* ]] && _chatter_has "$place $words[3]"; then place+=" $words[3]"; fi
  if _chatter_has "$place $before"; then place+=" $before"; fi
  for row in \${(M)\${(f)_chatter_table}:#$place\\|*}; do
    found=\${\${row#*\\|}%%\\|*} hint=\${row##*\\|}
    case $found in
    ${FILES}) files=1 ;;
    -*) flags+=("$found:$hint") ;;
    ?*) offered+=("$found:$hint") ;;
    esac
  done
  if (($#flags)) && [[ $PREFIX == -* || -z $offered$files ]]; then
    _describe -o flag flags
  elif [[ -n $files ]]; then
    _files
  elif (($#offered)); then
    _describe word offered
  else
    _message "$hint"
  fi
}
if [[ $funcstack[1] == _chatter ]]; then
  _chatter "$@"
else
  compdef _chatter chatter
fi
`,
  fish: `# Completions of chatter for fish. In ~/.config/fish/config.fish:  chatter completions fish | source
set -g __chatter_table (string split \\n -- ${TABLE})
function __chatter_has
    string match --quiet -- "$argv|*" $__chatter_table
end
function __chatter_offers
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l before $words[-1]
    set -l prefix ''
    if string match --quiet -- '--*=*' $word
        set before (string split --max 1 = -- $word)[1]
        set prefix "$before="
    end
    set -l place "$words[2]"
    if not string match --quiet -- '-*' "$words[3]"; and __chatter_has "$place $words[3]"
        set place "$place $words[3]"
    end
    if __chatter_has "$place $before"
        set place "$place $before"
    end
    set -l offered
    set -l flags
    set -l files
    for row in (string match -- "$place|*" $__chatter_table)
        set -l parts (string split '|' -- $row)
        switch $parts[2]
            case ${FILES}
                set files $prefix(__fish_complete_path (string replace -- "$prefix" '' $word))
            case '-*'
                set -a flags $parts[2]\\t$parts[3]
            case '?*'
                set -a offered $prefix$parts[2]\\t$parts[3]
        end
    end
    if string match --quiet -- '-*' "$word"; and set -q flags[1]; or not set -q offered[1]; and not set -q files[1]
        # fish would also offer flags with the word in their middle.
        set offered (string match -- "$word*" $flags)
        set files
    end
    string join \\n -- $offered $files
end
complete -c chatter -f -a '(__chatter_offers)'
`,
};

/** The script for `shell`; it ends in a line break. */
export function completionScript(shell: keyof typeof SCRIPTS): string {
  return SCRIPTS[shell];
}
