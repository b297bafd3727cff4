/**
 * The commands as one table: what each is for, its flags, its operand and its actions.
 *
 * Parsing, `CHATTER_*` variables, the configuration file, help, the manual page, completions and docs/commands.md
 * are made from it.
 *
 * @module
 */
import { validate } from "@std/uuid/common";
import { parseServerUrl } from "../address.ts";
import { DEFAULT_PORT } from "../announcement/announcement.ts";
import { BAN_MESSAGE_LENGTH_MAX, BAN_SECONDS_MAX, USERNAME_LENGTH_MAX } from "../protocol/limits.ts";
import { parseUsername } from "../protocol/names.ts";
import { natsFlags, natsServers } from "./cluster_flags.ts";
import type { AnyFlag, FlagTable } from "./flag.ts";
import { flag, httpUrl, httpUrls, kind, oneOf, PLACE, switchFlag, wholeNumber } from "./flag.ts";
import { chatFlags, LISTING_URL_DEFAULT, listingFlags, TOKEN } from "./server_flags.ts";

export interface Command {
  readonly description: string;
  /** More text for its help, in whole sentences. */
  readonly details: string;
  readonly flags?: FlagTable;
  /** The text after the command, without a name of its own. */
  readonly operand?: AnyFlag;
  /** The words that may follow a command that does several things. */
  readonly actions?: { readonly [word: string]: Action };
  /** Whether a role follows the command, which then takes the flags of that role too. */
  readonly perRole?: true;
}

/** What a word after a command does; its flags are beside those of the command. */
export type Action = Pick<Command, "description" | "operand" | "flags">;

const SERVER_URL_DEFAULT = `http://127.0.0.1:${DEFAULT_PORT}`;
const USERNAME_RULE = `1 to ${USERNAME_LENGTH_MAX} letters, numbers, emoji, _ - . and single inner spaces`;
const BANNED = kind(
  "NAME",
  "a username, or the id of a ban",
  (text) => validate(text) ? text : readUsername(text),
);
const TIME = kind(
  "TIME",
  "a number followed by s, m, h, d or w, such as 90s or 1h, up to 3650d",
  readSeconds,
);
const REASON = kind(
  "TEXT",
  `1 to ${BAN_MESSAGE_LENGTH_MAX} characters`,
  (text) => text.trim() !== "" && [...text].length <= BAN_MESSAGE_LENGTH_MAX ? text : undefined,
);
const UNIT_SECONDS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

const REQUIRED = { default: "", required: true } as const;
const nameOperand = flag("the user's name, in any letter case")
  .takes(kind("NAME", "a username", readUsername), REQUIRED);
const asJson = (what: string) => switchFlag(`print ${what} as JSON`);
const adminApi = {
  server: flag("URL of the chat server").takes(httpUrl, { default: SERVER_URL_DEFAULT }),
  // The variable is the one of the chat server's own flag.
  token: flag("the server's --admin-token").takes(TOKEN, { ...REQUIRED, variable: "CHATTER_ADMIN_TOKEN" }),
};
// CHATTER_KV sets the --kv of servers.
const OF_TRANSFER = { variable: "CHATTER_TRANSFER_KV" };
const NEEDED_STORE = { ...REQUIRED, ...OF_TRANSFER };
const path = (description: string) => flag(description).takes(kind("FILE", "a path, or -"), { default: "-" });

/** The commands, by name. */
export const COMMANDS = {
  chat: {
    description: "run a chat server",
    details:
      "Serves the c2 protocol over WebSocket, and registers with listings, where users find the server.",
    flags: chatFlags,
  },
  listing: {
    description: "run a listing, where chat servers register and users find them",
    details: "Lists chat servers, pings them, and removes those that no longer answer.",
    flags: listingFlags,
  },
  client: {
    description: "chat in the terminal, or through a pipe",
    details:
      "Connects to a chat server. On a terminal, /help lists what can be typed. With --plain, the client " +
      "leaves at the end of stdin, once the server has acknowledged every message. The exit status is then 0, " +
      "or 1 if the server cannot be reached or refused something.",
    flags: {
      name: flag("your username").takes(
        kind("NAME", USERNAME_RULE, readUsername),
        // CHATTER_NAME sets the name of a chat server.
        { defaultText: "$USER, or else the client asks", variable: "CHATTER_CLIENT_NAME" },
      ),
      plain: switchFlag("for pipes: each line of stdin is a message, each line of stdout a received frame"),
      noBell: switchFlag("do not ring the terminal's bell at mentions and answers; /bell on rings again"),
    },
    operand: flag("the chat server, as a listing shows it").takes(
      kind("ADDRESS", "a ws://, wss://, http:// or https:// URL, host:port, or a host alone", parseServerUrl),
      { default: SERVER_URL_DEFAULT.replace("http", "ws") },
    ),
  },
  servers: {
    description: "show the chat servers of a listing as a table",
    details: "Shows the servers with the most users first. chatter client takes the values under ADDRESS.",
    flags: {
      listing: flag("URL of the listing").takes(httpUrl, { default: LISTING_URL_DEFAULT }),
      json: asJson("the listing's answer"),
      ping: switchFlag("ping each server from here, and show that round trip instead of the listing's"),
    },
  },
  export: {
    description: "write the data of a server to a file of JSON lines",
    details:
      "Reads the messages and bans of a running chat server through its admin API. With --kv, it reads a store " +
      "instead: of a stopped chat server, or of a listing, which may be running.",
    flags: {
      ...adminApi,
      token: { ...adminApi.token, unless: "kv" },
      kv: flag("read this store instead: of a listing, or of a stopped chat server").takes(
        PLACE,
        OF_TRANSFER,
      ),
      keys: switchFlag(
        "include the chat server's keys on listings; anyone who has them can change its entries",
        { variable: "CHATTER_EXPORT_KEYS" },
      ),
    },
    operand: path("the file to write, readable by this user alone; - is stdout"),
  },
  import: {
    description: "load an export into a store",
    details:
      "Loads what chatter export wrote. The store of a chat server must have no messages, and no server may have it " +
      "open; the store of a listing may be in use. Bans, keys and servers that already exist stay unchanged.",
    flags: { kv: flag("the store; created if it does not exist").takes(PLACE, NEEDED_STORE) },
    operand: path("the file to read; - is stdin"),
  },
  config: {
    description: "show the values that chat or listing would run with",
    details:
      "Shows the value of each flag of chatter chat or chatter listing, and its source: a flag, a variable, a line " +
      "of the --config file, or the default. It takes the flags of that command, as in " +
      "chatter config chat --config chatter.json. Secrets are hidden.",
    flags: { json: asJson("the values") },
    perRole: true,
  },
  health: {
    description: "check whether a chat server or a listing is ready",
    details: "Asks the server for /readyz. The exit status is 0 if the server is ready, " +
      "and 1 if it is not ready or does not answer.",
    flags: {
      // The default is less than the time after which most supervisors give up, often 10 s.
      timeout: flag("how long to wait for the answer")
        .takes(wholeNumber(1, 300, "seconds"), { default: 5, variable: "CHATTER_HEALTH_TIMEOUT" }),
    },
    operand: flag("URL of the chat server or the listing").takes(httpUrl, { default: SERVER_URL_DEFAULT }),
  },
  admin: {
    description: "moderate a running chat server: bans, kicks, announcements",
    details:
      "Needs a chat server that was started with --admin-token. NAME and TEXT are one argument each: quote " +
      "a text with spaces, and write -- before a text that begins with a hyphen.",
    flags: { ...adminApi, json: asJson("the server's answer") },
    actions: {
      ban: {
        description: "disconnect NAME and ban the name",
        operand: nameOperand,
        flags: {
          reason: flag("reason that all users see, and the banned user at each new attempt")
            .takes(REASON, { variable: "CHATTER_BAN_REASON" }),
          for: flag("how long the ban lasts")
            .takes(TIME, { defaultText: "until it is lifted", variable: "CHATTER_BAN_FOR" }),
          // CHATTER_ADDRESS sets the address that a chat server gives to listings.
          address: switchFlag("also ban the address from which NAME is connected", {
            variable: "CHATTER_BAN_ADDRESS",
          }),
        },
      },
      unban: {
        description: "lift all bans of NAME, or the ban with this id",
        operand: flag(nameOperand.description).takes(BANNED, REQUIRED),
      },
      bans: { description: "list the bans in force" },
      users: { description: "list the connected users, with address and time of connection" },
      cluster: { description: "show the nodes of the cluster: who leads, who is heard, and how far each is" },
      kick: { description: "disconnect NAME, who may return", operand: nameOperand },
      announce: {
        description: "broadcast TEXT in the server's name",
        operand: flag("the announcement").takes(kind("TEXT"), REQUIRED),
      },
    },
  },
  cluster: {
    description: "check a cluster, or begin its log again after a disaster",
    details: "docs/cluster.md explains each finding, and when the log must begin again.",
    actions: {
      check: {
        description:
          "ask NATS as a node does: show what is well, and what would lose messages; the exit status is 1 if " +
          "something is bad",
        flags: {
          ...natsFlags,
          cluster: natsServers,
          monitor: flag(
            "URLs of the monitoring ports of the NATS servers, for whether they sync what they acknowledge",
          ).takes(httpUrls),
          json: asJson("the findings"),
        },
      },
      refound: {
        description:
          "make the store of a stopped node the beginning of a new log, which it founds at its next start",
        flags: { kv: flag("the store of the node with the newest messages").takes(PLACE, NEEDED_STORE) },
      },
    },
  },
  completions: {
    description: "print a script that completes commands in a shell",
    details: "A shell loads the script when it starts, and asks chatter at each Tab. For bash, add " +
      'eval "$(chatter completions bash)" to ~/.bashrc. For zsh, add source <(chatter completions zsh) to ' +
      "~/.zshrc, after compinit. For fish, add chatter completions fish | source to ~/.config/fish/config.fish.",
    operand: flag("the shell")
      .takes(oneOf("SHELL", ["bash", "zsh", "fish"]), { default: "bash", required: true }),
  },
  man: {
    description: "print the manual page",
    details: "To read it: chatter man >chatter.1, then man ./chatter.1.",
  },
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** The commands that run a server; CHATTER_ROLE names one of them. */
export const ROLES = ["chat", "listing"] as const;
export type Role = (typeof ROLES)[number];

/** The syntax of one command line: of a command, or of one of its actions. */
export interface Syntax extends Action {
  readonly command: CommandName;
  /** The word after the command; empty for none. */
  readonly action: string;
  readonly flags: FlagTable;
  /** Command and action, as they are typed. */
  readonly title: string;
  /** The role whose section of a configuration file applies. */
  readonly role: Role | undefined;
}

/** The syntaxes that begin with this command. */
export function syntaxesOf(command: CommandName): Syntax[] {
  const { perRole, actions, ...alone }: Command = COMMANDS[command];
  const words = perRole
    ? Object.fromEntries(ROLES.map((role) => [role, COMMANDS[role]]))
    : actions ?? { "": {} };
  return Object.entries<Partial<Action>>(words).map(([action, own]) => ({
    ...alone,
    ...own,
    command,
    action,
    title: `${command} ${action}`.trim(),
    flags: { ...alone.flags, ...own.flags },
    role: ROLES.find((role) => role === (perRole ? action : command)),
  }));
}

export function isCommandName(text: string): text is CommandName {
  return Object.hasOwn(COMMANDS, text);
}

/** The forms of a command's line in one, such as `chatter export [FILE] [flags]`. */
export function usageOf(command: CommandName): string {
  const { operand, actions, perRole }: Command = COMMANDS[command];
  const word = perRole ? `<${ROLES.join("|")}>` : actions && "<action>";
  const value = operand?.required ? operand.placeholder : operand && `[${operand.placeholder}]`;
  return ["chatter", command, word, value, hasFlags(command) && "[flags]"].filter(Boolean).join(" ");
}

/** Whether the command, or one of its actions, has a flag. */
export function hasFlags(command: CommandName): boolean {
  return syntaxesOf(command).some(({ flags }) => Object.keys(flags).length > 0);
}

/** `--max-users` for `maxUsers`. */
export function flagName(key: string): string {
  return "--" + key.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
}

/** `CHATTER_MAX_USERS` for `maxUsers`, unless the flag names another variable. */
export function variableName(key: string, flag?: AnyFlag): string {
  return flag?.variable ?? "CHATTER" + flagName(key).slice(1).replaceAll("-", "_").toUpperCase();
}

/** The flag as help shows it, with the word for its value; the variable of a flag that only a variable sets. */
export function typedFlag(key: string, { placeholder, onlyVariable }: AnyFlag): string {
  if (onlyVariable) return variableName(key);
  return placeholder === undefined ? flagName(key) : `${flagName(key)} ${placeholder}`;
}

/** A username as the server will show it; undefined if `text` is not a username. */
export function readUsername(text: string): string | undefined {
  const username = parseUsername(text.trim());
  return "fault" in username ? undefined : username.shown;
}

function readSeconds(text: string): number | undefined {
  const [, number = "", unit = ""] = /^([0-9]{1,9})([smhdw])$/.exec(text) ?? [];
  const seconds = Number(number) * (UNIT_SECONDS[unit] ?? 0);
  return seconds >= 1 && seconds <= BAN_SECONDS_MAX ? seconds : undefined;
}
