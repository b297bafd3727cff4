/**
 * The commands as one table: what each is for, its flags, its operand and its actions.
 *
 * Parsing, the `CHATTER_*` variables, the configuration file, help, the manual page and completions all come from it.
 *
 * @module
 */
import { validate } from "@std/uuid/common";
import { parseServerUrl } from "../address.ts";
import { DEFAULT_PORT } from "../announcement/announcement.ts";
import { BAN_MESSAGE_LENGTH_MAX, BAN_SECONDS_MAX, USERNAME_LENGTH_MAX } from "../protocol/limits.ts";
import { parseUsername } from "../protocol/names.ts";
import { type AnyFlag, flag, type FlagTable, httpUrl, oneOf, switchFlag, text, wholeNumber } from "./flag.ts";
import { chatFlags, LISTING_URL_DEFAULT, listingFlags, token } from "./server_flags.ts";

export interface Command {
  readonly description: string;
  /** More for its help, in whole sentences. */
  readonly details: string;
  readonly flags: FlagTable;
  /** The text after the command, without a name of its own. */
  readonly operand?: AnyFlag;
  /** What it does, where it does several things: the word after the command says which. */
  readonly actions?: { readonly [word: string]: Action };
  /** Whether the word after the command is a role, whose flags it then takes as well. */
  readonly perRole?: true;
}

export interface Action {
  readonly description: string;
  /** The text after the word. */
  readonly operand?: AnyFlag;
  /** Flags beside those of the command. */
  readonly flags?: FlagTable;
}

const SERVER_URL_DEFAULT = `http://127.0.0.1:${DEFAULT_PORT}`;
/** Seconds for the answer of a server that is asked whether it is ready: less than watchers wait, often 10. */
const HEALTH_TIMEOUT_SECONDS = { default: 5, max: 300 };
const UNIT_SECONDS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

const REQUIRED = { default: "", required: true } as const;
const isUsername = (text: string) => !("fault" in parseUsername(text));
const nameOperand = flag("whom, in whatever letter case", text("NAME", "a username", isUsername), REQUIRED);
const asJson = (what: string) => switchFlag(`print ${what} as JSON`);
const adminApi = {
  server: flag("the chat server", httpUrl, { default: SERVER_URL_DEFAULT }),
  // The variable is that of the chat server's own flag.
  token: flag("the --admin-token of that server", token, {
    ...REQUIRED,
    variable: "CHATTER_ADMIN_TOKEN",
    secret: true,
  }),
};
// CHATTER_KV is the servers'.
const TRANSFER_KV = "CHATTER_TRANSFER_KV";

/** The commands, by name. */
export const COMMANDS = {
  chat: {
    description: "the chat server, which users connect to",
    details: "Serves the chat protocol c2 over WebSocket, and registers with listings so that users find it.",
    flags: chatFlags,
  },
  listing: {
    description: "the listing, where chat servers register and users find them",
    details: "Keeps the list of chat servers, and takes off the ones that no longer answer.",
    flags: listingFlags,
  },
  client: {
    description: "a client for the terminal, or for a pipe",
    details: "Connects to a chat server, and talks there. On a terminal /help tells what can be typed. " +
      "With --plain it leaves at the end of stdin, when everything is acknowledged: exit status 0 after that, " +
      "1 where the server cannot be reached or refused something.",
    flags: {
      name: flag("your name there", {
        placeholder: "NAME",
        expected: `1 to ${USERNAME_LENGTH_MAX} letters, numbers, emoji, _ - . and single blanks between them`,
        read: readUsername,
        // CHATTER_NAME is the chat server's.
      }, { defaultText: "$USER, or else it is asked for", variable: "CHATTER_CLIENT_NAME" }),
      plain: switchFlag("for pipes: a line of stdin is a message, a line of stdout is a frame that came"),
    },
    operand: flag("the chat server, in any of the forms in which it is shown elsewhere", {
      placeholder: "ADDRESS",
      expected: "ws://, wss://, http:// or https:// with a host, host:port, or a host alone",
      read: parseServerUrl,
    }, { default: SERVER_URL_DEFAULT.replace("http", "ws") }),
  },
  servers: {
    description: "the chat servers that a listing knows, as a table",
    details: "Asks a listing for its chat servers. What stands under ADDRESS is what chatter client takes.",
    flags: {
      listing: flag("the listing to ask", httpUrl, { default: LISTING_URL_DEFAULT }),
      json: asJson("what the listing answers"),
      ping: switchFlag("ping each server from here, and show that round trip in place of the listing's"),
    },
  },
  export: {
    description: "what a server keeps, as a file of JSON lines",
    details:
      "Writes messages and bans of a chat server that runs, asked by its admin API, or what is in a store: of a " +
      "chat server that is stopped, or of a listing, which may run.",
    flags: {
      ...adminApi,
      token: { ...adminApi.token, unless: "kv" },
      kv: flag(
        "in place of a server its store: of a listing, or of a chat server that is stopped",
        text("PLACE"),
        {
          variable: TRANSFER_KV,
        },
      ),
      keys: switchFlag(
        "also the keys of a chat server on listings, with which anybody could change its entries",
        {
          variable: "CHATTER_EXPORT_KEYS",
        },
      ),
    },
    operand: flag(
      "the file to write, which only this user can read; - is stdout",
      text("FILE", "a path, or -"),
      {
        default: "-",
      },
    ),
  },
  import: {
    description: "an export, put into a store",
    details:
      "Takes what chatter export wrote, into the store of a chat server that has no messages and that no server " +
      "has open, or into that of a listing. Bans, keys and servers that are there already stay as they are.",
    flags: {
      kv: flag("the store, which is made where it is not there", text("PLACE"), {
        ...REQUIRED,
        variable: TRANSFER_KV,
      }),
    },
    operand: flag("the file to read; - is stdin", text("FILE", "a path, or -"), { default: "-" }),
  },
  config: {
    description: "what chat or listing would run with, and why",
    details:
      "Shows the value of each flag of chatter chat or chatter listing, and whether it comes from a flag, a " +
      "variable, a line of the file of --config, or is the default. It takes the flags of that command, as in " +
      "chatter config chat --config chatter.json. Secrets are not shown.",
    flags: { json: asJson("it") },
    perRole: true,
  },
  health: {
    description: "whether a chat server or a listing is ready",
    details:
      "Asks the server for /readyz: exit status 0 where it is ready, 1 where it is not or does not answer.",
    flags: {
      timeout: flag(
        "how long to wait for the answer",
        wholeNumber("SECONDS", { unit: "seconds", min: 1, max: HEALTH_TIMEOUT_SECONDS.max }),
        {
          default: HEALTH_TIMEOUT_SECONDS.default,
          variable: "CHATTER_HEALTH_TIMEOUT",
        },
      ),
    },
    operand: flag("the chat server or the listing", httpUrl, { default: SERVER_URL_DEFAULT }),
  },
  admin: {
    description: "bans, kicks and announcements on a chat server that runs",
    details: "Asks a chat server that was started with --admin-token. NAME and TEXT are one argument each: " +
      "quote what has blanks, and write -- before what begins with a hyphen.",
    flags: { ...adminApi, json: asJson("the server's answer") },
    actions: {
      ban: {
        description: "put NAME out and keep the name out",
        operand: nameOperand,
        flags: {
          reason: flag(
            "told to everyone, and to whoever tries to come back",
            text(
              "TEXT",
              `1 to ${BAN_MESSAGE_LENGTH_MAX} characters`,
              (text) => text.trim() !== "" && [...text].length <= BAN_MESSAGE_LENGTH_MAX,
            ),
            { variable: "CHATTER_BAN_REASON" },
          ),
          for: flag("how long", {
            placeholder: "TIME",
            expected: "a number with s, m, h, d or w behind it, as 90s or 1h, up to 3650d",
            read: readSeconds,
          }, { defaultText: "until it is lifted", variable: "CHATTER_BAN_FOR" }),
          address: switchFlag("also the address from which NAME is connected", {
            // CHATTER_ADDRESS is what the chat server tells listings.
            variable: "CHATTER_BAN_ADDRESS",
          }),
        },
      },
      unban: {
        description: "lift the bans of NAME, or the one with that id",
        operand: flag(
          nameOperand.description,
          text("NAME", "a username, or the id of a ban", (text) => validate(text) || isUsername(text)),
          REQUIRED,
        ),
      },
      bans: { description: "list the bans in force" },
      users: { description: "list who is connected, from where and since when" },
      kick: { description: "put NAME out, who may come back", operand: nameOperand },
      announce: {
        description: "say TEXT to everyone in the server's name",
        operand: flag("what is said", text("TEXT"), REQUIRED),
      },
    },
  },
  completions: {
    description: "what has a shell complete commands, flags and values",
    details: 'Prints a script for the shell: eval "$(chatter completions bash)" in ~/.bashrc, ' +
      "source <(chatter completions zsh) in ~/.zshrc after compinit, " +
      "chatter completions fish | source in ~/.config/fish/config.fish.",
    flags: {},
    operand: flag(
      "the shell that is to complete command lines of chatter",
      oneOf("SHELL", { bash: "bash", zsh: "zsh", fish: "fish" } as const),
      { default: "bash", required: true },
    ),
  },
  man: {
    description: "the manual page",
    details: "Prints a page for man: chatter man >chatter.1, then man ./chatter.1.",
    flags: {},
  },
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** The commands that run a server, which CHATTER_ROLE may name. */
export const ROLES = ["chat", "listing"] as const;
export type Role = (typeof ROLES)[number];

/** What one line may hold: that of a command, or of one of its actions. */
export interface Syntax {
  readonly command: CommandName;
  /** The word after the command; undefined where there is none. */
  readonly action: string | undefined;
  /** Both of them, as they are typed. */
  readonly title: string;
  readonly description: string;
  readonly operand: AnyFlag | undefined;
  readonly flags: FlagTable;
  /** The role whose part of a configuration file counts. */
  readonly role: Role | undefined;
}

/** The lines that begin with this command. */
export function syntaxesOf(command: CommandName): Syntax[] {
  const { description, operand, flags, perRole, ...rest }: Command = COMMANDS[command];
  const role = ROLES.find((role) => role === command);
  const actions = perRole ? Object.fromEntries(ROLES.map((role) => [role, COMMANDS[role]])) : rest.actions;
  if (actions === undefined) {
    return [{ command, action: undefined, title: command, description, operand, flags, role }];
  }
  return Object.entries<Action>(actions).map(([action, { description, operand, flags: more }]) => ({
    command,
    action,
    title: `${command} ${action}`,
    description,
    operand,
    flags: { ...flags, ...more },
    role: perRole && action as Role,
  }));
}

export const SYNTAXES: readonly Syntax[] = COMMAND_NAMES.flatMap(syntaxesOf);

export function isCommandName(text: string): text is CommandName {
  return Object.hasOwn(COMMANDS, text);
}

/** `--max-users` for `maxUsers`. */
export function flagName(key: string): string {
  return "--" + key.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
}

/** `CHATTER_MAX_USERS` for `maxUsers`, unless the flag says otherwise. */
export function variableName(key: string, flag?: AnyFlag): string {
  return flag?.variable ?? "CHATTER" + flagName(key).slice(1).replaceAll("-", "_").toUpperCase();
}

/** A username as the server will show it; undefined for what is none. */
export function readUsername(text: string): string | undefined {
  const username = parseUsername(text.trim());
  return "fault" in username ? undefined : username.shown;
}

function readSeconds(text: string): number | undefined {
  const [, number = "", unit = ""] = /^([0-9]{1,9})([smhdw])$/.exec(text) ?? [];
  const seconds = Number(number) * (UNIT_SECONDS[unit] ?? 0);
  return seconds >= 1 && seconds <= BAN_SECONDS_MAX ? seconds : undefined;
}
