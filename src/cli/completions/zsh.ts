/**
 * The completion script of zsh: specifications for its own `_arguments`.
 *
 * Pure. typed_lines.ts holds what can be completed.
 *
 * @module
 */
import type { AnyFlag } from "../flag.ts";
import { type Choice, CHOICES, LINES, offerOf, type TypedLine } from "./typed_lines.ts";

const HELP = `'(- *)'{-h,--help}'[show help]'`;
const VERSION = `'(- *)'{-V,--version}'[show the version]'`;

/** The script; it ends in a line break. */
export function zshScript(): string {
  return `#compdef chatter
# Completions of chatter for zsh. In ~/.zshrc, after compinit:  source <(chatter completions zsh)
# or as a file named _chatter in a folder of $fpath.
_chatter() {
  local curcontext=$curcontext state ret=1
  local -a line words_here
  _arguments -C ${HELP} ${VERSION} '1:command:->first' '*::argument:->rest' && ret=0
  case $state in
  first)
    words_here=(${described(CHOICES)})
    _describe command words_here && ret=0
    ;;
  rest)
    case $line[1] in
${CHOICES.map(choiceCase).join("\n")}
    esac
    ;;
  esac
  return ret
}
if [[ $funcstack[1] == _chatter ]]; then
  _chatter "$@"
else
  compdef _chatter chatter
fi
`;
}

function choiceCase({ word, actions }: Choice): string {
  if (actions.length === 0) {
    const line = LINES.find(({ title }) => title === word)!;
    return `    ${word})\n${specifications(line, "      ")}\n      ;;`;
  }
  return `    ${word})
      _arguments -C ${HELP} '1:action:->action' '*::argument:->argument' && ret=0
      case $state in
      action)
        words_here=(${described(actions.map(({ action, description }) => ({ word: action!, description })))})
        _describe action words_here && ret=0
        ;;
      argument)
        case $line[1] in
${
    actions.map((line) => `        ${line.action})\n${specifications(line, "          ")}\n          ;;`)
      .join("\n")
  }
        esac
        ;;
      esac
      ;;`;
}

function specifications({ operand, flags }: TypedLine, margin: string): string {
  const words = [
    ...flags.map(([name, flag]) => specification(name, flag)),
    HELP,
    ...(operand === undefined ? [] : [quoted(`1:${value(operand)}`)]),
  ];
  return `${margin}_arguments \\\n${words.map((word) => `${margin}  ${word}`).join(" \\\n")} && ret=0`;
}

function specification(name: string, flag: AnyFlag): string {
  const text = `[${flag.description.replaceAll(/[[\]\\]/g, "\\$&")}]`;
  if (flag.placeholder === undefined) return quoted(`${name}${text}`);
  return quoted(`${flag.repeatable ? "*" : ""}${name}=${text}:${value(flag)}`);
}

/** An offer of one space shows the placeholder and completes nothing. */
function value(flag: AnyFlag): string {
  const offer = offerOf(flag);
  return `${flag.placeholder}:${
    offer === "files" ? "_files" : offer === "nothing" ? " " : `(${offer.join(" ")})`
  }`;
}

function described(words: readonly { readonly word: string; readonly description: string }[]): string {
  return words.map(({ word, description }) => quoted(`${word}:${description}`)).join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
