/**
 * The completions of zsh: specifications for its own `_arguments`, which reads them with their descriptions.
 *
 * Pure. What there is to complete is typed_lines.ts's.
 *
 * @module
 */
import type { Choice, Offer, Typed, TypedFlag, TypedLine } from "./typed_lines.ts";

const HELP = `'(- *)'{-h,--help}'[what can be given here]'`;
const VERSION = `'(- *)'{-V,--version}'[the version]'`;

/** The script; it ends in a line break. */
export function zshScript({ choices, lines }: Typed): string {
  return `#compdef chatter
# Completions of chatter for zsh. In ~/.zshrc, after compinit:  source <(chatter completions zsh)
# or as a file named _chatter in a folder of $fpath.
_chatter() {
  local curcontext=$curcontext state ret=1
  local -a line words_here
  _arguments -C ${HELP} ${VERSION} '1:command:->first' '*::argument:->rest' && ret=0
  case $state in
  first)
    words_here=(${described(choices)})
    _describe command words_here && ret=0
    ;;
  rest)
    case $line[1] in
${choices.map((choice) => choiceCase(choice, lines)).join("\n")}
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

function choiceCase({ word, actions }: Choice, lines: readonly TypedLine[]): string {
  const mine = lines.filter(({ words }) => words[0] === word);
  if (actions.length === 0) {
    return `    ${word})\n${mine.map((line) => specifications(line, "      ")).join("\n")}\n      ;;`;
  }
  return `    ${word})
      _arguments -C ${HELP} '1:action:->action' '*::argument:->argument' && ret=0
      case $state in
      action)
        words_here=(${described(actions)})
        _describe action words_here && ret=0
        ;;
      argument)
        case $line[1] in
${
    mine.map((line) => `        ${line.words[1]})\n${specifications(line, "          ")}\n          ;;`).join(
      "\n",
    )
  }
        esac
        ;;
      esac
      ;;`;
}

function specifications({ operand, flags }: TypedLine, margin: string): string {
  const words = [
    ...flags.map(specification),
    HELP,
    ...(operand === undefined ? [] : [quoted(`1:${operand.placeholder}:${action(operand.offer)}`)]),
  ];
  return `${margin}_arguments \\\n${words.map((word) => `${margin}  ${word}`).join(" \\\n")} && ret=0`;
}

function specification({ name, about, value, isRepeatable }: TypedFlag): string {
  const text = `[${about.replaceAll(/[[\]\\]/g, "\\$&")}]`;
  if (value === undefined) return quoted(`${name}${text}`);
  return quoted(`${isRepeatable ? "*" : ""}${name}=${text}:${value.placeholder}:${action(value.offer)}`);
}

/** A blank says what is to be typed, and offers nothing. */
function action(offer: Offer): string {
  return offer === "files" ? "_files" : offer === "nothing" ? " " : `(${offer.join(" ")})`;
}

function described(words: readonly { readonly word: string; readonly about: string }[]): string {
  return words.map(({ word, about }) => quoted(`${word}:${about}`)).join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
