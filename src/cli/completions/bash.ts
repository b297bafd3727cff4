/**
 * The completions of bash: one function, with a case for each line and for each value. It does without what
 * the bash 3.2 of macOS has not; only newer ones were tried.
 *
 * Pure. What there is to complete is typed_lines.ts's.
 *
 * @module
 */
import { HELP_FLAG, type Typed, type TypedLine } from "./typed_lines.ts";

/** The script; it ends in a line break. */
export function bashScript({ choices, lines }: Typed): string {
  const withActions = choices.filter(({ actions }) => actions.length > 0);
  return `# Completions of chatter for bash. In ~/.bashrc:  eval "$(chatter completions bash)"
_chatter() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} line=\${COMP_WORDS[1]}
  local flags= words= files= IFS=$' \\t\\n'
  COMPREPLY=()
  # To bash --flag=value is three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
    words=${quoted(choices.map(({ word }) => word))}
    flags="--help --version"
    line=
  else
    case $line in
${withActions.map(({ word, actions }) => actionCase(word, actions.map(({ word }) => word))).join("\n")}
    esac
  fi
  case "$line $before" in
${valueCases(lines).join("\n")}
  *)
    case $line in
${lines.map(lineCase).join("\n")}
    esac
    # What stands behind a line without a name of its own may be what nobody can guess: then there are its flags.
    if [[ $word == -* || -z $words$files ]]; then words=$flags files=; fi
    ;;
  esac
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$word"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  fi
}
complete -F _chatter chatter
`;
}

function actionCase(command: string, actions: readonly string[]): string {
  return `    ${command})
      if ((COMP_CWORD == 2)); then
        words=${quoted(actions)}
        flags=${HELP_FLAG.name}
        line=
      else
        line="$line \${COMP_WORDS[2]}"
      fi
      ;;`;
}

/** What follows a flag that takes a value, the same offers in one case. */
function valueCases(lines: readonly TypedLine[]): string[] {
  const flagsByOffer = new Map<string, string[]>();
  for (const { words, flags } of lines) {
    for (const { name, value } of flags) {
      if (value === undefined) continue;
      const { offer } = value;
      const found = offer === "files" ? "files=1" : offer === "nothing" ? "return" : `words=${quoted(offer)}`;
      flagsByOffer.set(found, [...flagsByOffer.get(found) ?? [], `"${words.join(" ")} ${name}"`]);
    }
  }
  return [...flagsByOffer].map(([found, flags]) => `  ${flags.join(" |\\\n    ")}) ${found} ;;`);
}

function lineCase({ words, operand, flags }: TypedLine): string {
  const offer = operand?.offer ?? "nothing";
  return `    ${quoted(words)})
      flags=${quoted([...flags, HELP_FLAG].map(({ name }) => name))}
      ${offer === "files" ? "files=1" : offer === "nothing" ? "words=" : `words=${quoted(offer)}`}
      ;;`;
}

/** Words of the table: letters, digits and hyphens, nothing that a shell would carry out. */
function quoted(words: readonly string[]): string {
  return `"${words.join(" ")}"`;
}
