/**
 * The completion script of fish: one line for each word, with the condition under which fish offers it.
 *
 * Pure. typed_lines.ts holds what can be completed.
 *
 * @module
 */
import { type Choice, CHOICES, HELP, LINES, type Offer, offerOf, type TypedLine } from "./typed_lines.ts";

/** The script; it ends in a line break. */
export function fishScript(): string {
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
complete -c chatter -s h -l help -d ${quoted(HELP[1].description)}
complete -c chatter -n 'test (count (__chatter_words)) -eq 1' -s V -l version -d 'show the version'
${CHOICES.flatMap(choiceLines).join("\n")}
${LINES.flatMap(lineLines).join("\n")}
`;
}

function choiceLines({ word, description, actions }: Choice): string[] {
  return [
    `complete -c chatter -n 'test (count (__chatter_words)) -eq 1' -a ${word} -d ${quoted(description)}`,
    ...actions.map(({ action, description }) =>
      `complete -c chatter -n '__chatter_after ${word}' -a ${action} -d ${quoted(description)}`
    ),
  ];
}

function lineLines({ title, operand, flags }: TypedLine): string[] {
  const on = `complete -c chatter -n '__chatter_on ${title}'`;
  const offered = offer(offerOf(operand));
  return [
    ...(offered === "" ? [] : [`${on} ${offered}`]),
    ...flags.map(([name, flag]) => {
      const taken = flag.placeholder === undefined
        ? []
        : [offerOf(flag) === "files" ? "-r" : "-x", offer(offerOf(flag))];
      return [on, `-l ${name.slice(2)}`, ...taken, `-d ${quoted(flag.description)}`].filter((part) =>
        part !== ""
      ).join(" ");
    }),
  ];
}

function offer(offered: Offer): string {
  return offered === "files" ? "-F" : offered === "nothing" ? "" : `-a ${quoted(offered.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
