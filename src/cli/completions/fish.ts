/**
 * The completions of fish: a line for each word that may stand somewhere, with the condition under which it may.
 *
 * Pure. What there is to complete is typed_lines.ts's.
 *
 * @module
 */
import { type Choice, HELP_FLAG, type Offer, type Typed, type TypedLine } from "./typed_lines.ts";

/** The script; it ends in a line break. */
export function fishScript({ choices, lines }: Typed): string {
  return `# Completions of chatter for fish. In ~/.config/fish/config.fish:  chatter completions fish | source
function __chatter_words
    commandline -opc | string match --invert --regex '^$'
end

# Whether the line begins with these words.
function __chatter_on
    set -l words (__chatter_words)
    set -l last (math 1 + (count $argv))
    test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"
end

# Whether exactly these words have been typed.
function __chatter_after
    __chatter_on $argv; and test (count (__chatter_words)) -eq (math 1 + (count $argv))
end

complete -c chatter -f
complete -c chatter -s h -l help -d ${quoted(HELP_FLAG.about)}
complete -c chatter -n 'test (count (__chatter_words)) -eq 1' -s V -l version -d 'the version'
${choices.flatMap(choiceLines).join("\n")}
${lines.flatMap(lineLines).join("\n")}
`;
}

function choiceLines({ word, about, actions }: Choice): string[] {
  return [
    `complete -c chatter -n 'test (count (__chatter_words)) -eq 1' -a ${word} -d ${quoted(about)}`,
    ...actions.map((action) =>
      `complete -c chatter -n '__chatter_after ${word}' -a ${action.word} -d ${quoted(action.about)}`
    ),
  ];
}

function lineLines({ words, operand, flags }: TypedLine): string[] {
  const on = `complete -c chatter -n '__chatter_on ${words.join(" ")}'`;
  const offered = operand === undefined ? "" : offer(operand.offer);
  return [
    ...(offered === "" ? [] : [`${on} ${offered}`]),
    ...flags.map(({ name, about, value }) => {
      const taken = value === undefined ? [] : [value.offer === "files" ? "-r" : "-x", offer(value.offer)];
      return [on, `-l ${name.slice(2)}`, ...taken, `-d ${quoted(about)}`].filter((part) => part !== "").join(
        " ",
      );
    }),
  ];
}

function offer(offered: Offer): string {
  return offered === "files" ? "-F" : offered === "nothing" ? "" : `-a ${quoted(offered.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
