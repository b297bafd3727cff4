/**
 * `chatter config`: shows each setting and its origin, as a table or as JSON. It decides no setting, and never shows
 * a secret.
 *
 * @module
 */
import type { ConfigLine } from "../src/cli/command_line.ts";
import type { AnyFlag, FlagTable, Source } from "../src/cli/flag.ts";
import { COMMANDS, flagName } from "../src/cli/commands.ts";
import { defaultKvLocation } from "../src/kv/kv.ts";
import { table } from "./screen/table.ts";

const HIDDEN = "(hidden)";

/** The text to print. `env` locates the default store. */
export function showConfig(
  { action: role, values, sources }: ConfigLine,
  env: (name: string) => string | undefined,
): string {
  const flags: FlagTable = COMMANDS[role].flags;
  const rows = Object.entries(flags).map(([key, flag]) => {
    const value = key === "kv" ? values[key] ?? defaultKvLocation(role, env) : values[key];
    return { name: flagName(key).slice(2), flag, value, source: sources[key] };
  });
  if (values.json) {
    const shown = rows.map(({ name, flag, value, source }) => [
      name,
      { value: isHidden(flag, value) ? HIDDEN : value ?? null, from: from(source) },
    ]);
    return JSON.stringify(Object.fromEntries(shown), undefined, 2) + "\n";
  }
  return table(
    ["FLAG", "VALUE", "FROM"],
    rows.map(({ name, flag, value, source }) => [`--${name}`, asText(flag, value), from(source)]),
  );
}

function asText(flag: AnyFlag, value: unknown): string {
  if (value === undefined) return flag.defaultText === undefined ? "" : `(${flag.defaultText})`;
  if (isHidden(flag, value)) return HIDDEN;
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function isHidden(flag: AnyFlag, value: unknown): boolean {
  return flag.secret === true && value !== undefined;
}

function from(source: Source | undefined): string {
  if (source?.origin === "variable") return `variable ${source.name}`;
  return source?.origin === "file" ? source.name : source?.origin ?? "default";
}
