/**
 * How an event of the log looks as a line: for a person, and as JSON for a machine.
 *
 * Pure. Characters that are not printable are escaped, so that a value of a peer cannot break its line or control a
 * terminal.
 *
 * @module
 */
import {
  getAnsiColorFormatter,
  getJsonLinesFormatter,
  getTextFormatter,
  type TextFormatter,
} from "@logtape/logtape";

export type LogFormat = "pretty" | "json";

/** The formatter for `format`. Colours are for a terminal: a file would show them as noise. */
export function lineFormatter(format: LogFormat, colours: boolean): TextFormatter {
  if (format === "json") {
    // {"@timestamp":…,"level":"INFO","message":"listening","logger":"chat","url":…}
    return getJsonLinesFormatter({ properties: "flatten", categorySeparator: part });
  }
  // 22:53:01 INFO  chat listening url=http://127.0.0.1:5000/
  const options = {
    timestamp: localTime,
    level: (level: string) => (level === "warning" ? "warn" : level).toUpperCase().padEnd(5),
    category: part,
    format: (
      { timestamp, level, category, message, record }: {
        timestamp: string | null;
        level: string;
        category: string;
        message: string;
        record: { properties: Record<string, unknown> };
      },
    ) => `${timestamp} ${level} ${category} ${message}${shownProperties(record.properties)}`,
  };
  return colours ? getAnsiColorFormatter(options) : getTextFormatter(options);
}

/** The part of the program: the category without the program's own name. */
function part(category: readonly string[]): string {
  return (category[0] === "chatter" ? category.slice(1) : category).join(".");
}

function localTime(timestampMs: number): string {
  return new Date(timestampMs).toTimeString().slice(0, "22:53:01".length);
}

function shownProperties(properties: Record<string, unknown>): string {
  const stacks: string[] = [];
  let line = "";
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    line += ` ${name}=${shown(value instanceof Error ? value.message : value)}`;
    if (value instanceof Error && value.stack !== undefined) stacks.push(value.stack);
  }
  // Stacks follow the line, readable with their line breaks; each line is escaped.
  const below = stacks.flatMap((stack) => stack.split("\n")).map((row) => `\n    ${escaped(row.trimEnd())}`);
  return line + below.join("");
}

function shown(value: unknown): string {
  if (typeof value === "string" && value !== "" && !/[\s"=\p{C}]/u.test(value)) return value;
  if (typeof value === "bigint") return String(value);
  return escaped(JSON.stringify(value) ?? String(value));
}

/** Control, format and unassigned characters as `\u{…}`. */
function escaped(text: string): string {
  return text.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
