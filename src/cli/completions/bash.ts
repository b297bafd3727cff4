/**
 * The completion script of bash: one function, with a case for each line and for each value. It uses only features of
 * bash 3.2, the version of macOS, but was tried with newer versions only.
 *
 * Pure. typed_lines.ts holds what can be completed.
 *
 * @module
 */
import type { AnyFlag } from "../flag.ts";
import { CHOICES, HELP, LINES, offerOf, type TypedLine } from "./typed_lines.ts";

/** The script; it ends in a line break. */
export function bashScript(): string {
  const withActions = CHOICES.filter(({ actions }) => actions.length > 0);
  return `# Completions of chatter for bash. In ~/.bashrc:  eval "$(chatter completions bash)"
_chatter() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} line=\${COMP_WORDS[1]}
  local flags="" words="" files="" found IFS=$' \\t\\n'
  COMPREPLY=()
  # To bash --flag=value is three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
    words=${quoted(CHOICES.map(({ word }) => word))}
    flags="--help --version"
    line=
  else
    case $line in
${withActions.map(({ word, actions }) => actionCase(word, actions.map(({ action }) => action!))).join("\n")}
    esac
  fi
  case "$line $before" in
${valueCases().join("\n")}
  *)
    case $line in
${LINES.map(lineCase).join("\n")}
    esac
    # Nothing to offer for the operand: offer the flags.
    if [[ $word == -* || -z $words$files ]]; then words=$flags files=; fi
    ;;
  esac
  if [[ -n $files ]]; then compopt -o filenames 2>/dev/null; fi
  while IFS= read -r found; do COMPREPLY+=("$found"); done < <(
    if [[ -n $files ]]; then compgen -f -- "$word"; else compgen -W "$words" -- "$word"; fi
  )
}
complete -F _chatter chatter
`;
}

function actionCase(command: string, actions: readonly string[]): string {
  return `    ${command})
      if ((COMP_CWORD == 2)); then
        words=${quoted(actions)}
        flags=${HELP[0]}
        line=
      else
        line="$line \${COMP_WORDS[2]}"
      fi
      ;;`;
}

/** A case for each offer, with all flags whose values it completes. */
function valueCases(): string[] {
  const values = LINES.flatMap(({ title, flags }) =>
    flags.filter(([, { placeholder }]) => placeholder !== undefined)
      .map(([name, flag]) => ({ pattern: `"${title} ${name}"`, found: assignment(flag, "return") }))
  );
  return [...Map.groupBy(values, ({ found }) => found)].map(([found, same]) =>
    `  ${same.map(({ pattern }) => pattern).join(" |\\\n    ")}) ${found} ;;`
  );
}

function lineCase({ title, operand, flags }: TypedLine): string {
  return `    "${title}")
      flags=${quoted([...flags, HELP].map(([name]) => name))}
      ${assignment(operand, "words=")}
      ;;`;
}

/** Shell code that sets the offer for a value; `nothing` is the code for no offer. */
function assignment(value: AnyFlag | undefined, nothing: string): string {
  const offer = offerOf(value);
  return offer === "files" ? "files=1" : offer === "nothing" ? nothing : `words=${quoted(offer)}`;
}

/** The words of the table are letters, digits and hyphens: a shell needs no escapes for them. */
function quoted(words: readonly string[]): string {
  return `"${words.join(" ")}"`;
}
