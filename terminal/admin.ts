/**
 * `chatter admin`: sends one request to a chat server's admin API, docs/admin_api.md §11, and words the outcome for a
 * person or a script. It prints nothing itself.
 *
 * @module
 */
import { validate } from "@std/uuid/common";
import { z } from "zod";
import type { LineOf } from "../src/cli/command_line.ts";
import { AdminClient } from "./admin_client.ts";
import { type CommandOutcome, isProblem, type Problem } from "./problem.ts";
import { printable, tableOfPeer } from "./screen/table.ts";
import { duration, moment } from "./screen/time_text.ts";

const banSchema = z.object({
  id: z.string(),
  name: z.string().nullable(),
  address: z.string().nullable(),
  message: z.string(),
  createdAt: z.number(),
  endsAt: z.number().nullable(),
});
type Ban = z.infer<typeof banSchema>;

const answers = {
  ban: z.object({ ban: banSchema, disconnected: z.array(z.string()) }),
  lift: z.object({ lifted: z.array(banSchema) }),
  bans: z.object({ bans: z.array(banSchema) }),
  users: z.object({
    users: z.array(z.object({
      username: z.string(),
      address: z.string(),
      connectedSince: z.number(),
      connectedSeconds: z.number(),
      away: z.boolean().default(false),
    })),
  }),
  cluster: z.object({
    epoch: z.number(),
    record: z.number(),
    nodes: z.array(z.object({
      node: z.string(),
      version: z.string(),
      leads: z.boolean(),
      behind: z.number(),
      silentSeconds: z.number(),
    })),
  }),
  kick: z.object({ kicked: z.string() }),
  announce: z.object({ announced: z.literal(true) }),
};

/** Runs the command line. Never throws because of the server or the network. */
export async function administer(line: LineOf<"admin">): Promise<CommandOutcome> {
  const client = new AdminClient(line.values.server, line.values.token);
  const show = <T extends object>(answer: T | Problem, text: (answer: T) => string): CommandOutcome => {
    if (isProblem(answer)) return answer;
    return { output: line.values.json ? JSON.stringify(answer) + "\n" : text(answer) };
  };
  switch (line.action) {
    case "ban": {
      const { reason, for: seconds, address } = line.values;
      const body = { name: line.operand, withAddress: address, message: reason, seconds };
      return show(await client.ask("POST", "bans", answers.ban, body), banned);
    }
    case "unban": {
      // An id is longer than any name.
      const path = validate(line.operand)
        ? `bans/${line.operand}`
        : `bans?name=${encodeURIComponent(line.operand)}`;
      return show(
        await client.ask("DELETE", path, answers.lift),
        ({ lifted }) => lifted.map((ban) => `Lifted the ban of ${target(ban)}.\n`).join(""),
      );
    }
    case "bans":
      return show(await client.ask("GET", "bans", answers.bans), bansTable);
    case "users":
      return show(await client.ask("GET", "users", answers.users), usersTable);
    case "cluster":
      return show(await client.ask("GET", "cluster", answers.cluster), clusterTable);
    case "kick":
      return show(
        await client.ask("POST", "kick", answers.kick, { name: line.operand }),
        ({ kicked }) => `Kicked ${printable(kicked)}.\n`,
      );
    case "announce":
      return show(
        await client.ask("POST", "announce", answers.announce, { text: line.operand }),
        () => "Announced.\n",
      );
  }
}

function banned({ ban, disconnected }: z.infer<typeof answers.ban>): string {
  const names = disconnected.map(printable).join(", ");
  return `Banned ${target(ban)} ${until(ban)}. ` +
    (disconnected.length === 0 ? "No user was connected.\n" : `Disconnected: ${names}.\n`);
}

function clusterTable({ nodes }: z.infer<typeof answers.cluster>): string {
  return tableOfPeer(
    ["NODE", "ROLE", "BEHIND", "HEARD", "VERSION"],
    nodes.map(({ node, leads, behind, silentSeconds, version }, i) => [
      node,
      leads ? "leads" : "follows",
      `${behind} records`,
      i === 0 ? "this node" : `${silentSeconds} s ago`,
      version,
    ]),
  );
}

function bansTable({ bans }: z.infer<typeof answers.bans>): string {
  if (bans.length === 0) return "No bans.\n";
  return tableOfPeer(
    ["NAME", "ADDRESS", "ENDS", "MESSAGE", "ID"],
    bans.map((ban) => [
      ban.name ?? "-",
      ban.address ?? "-",
      ban.endsAt === null ? "never" : moment(ban.endsAt),
      ban.message,
      ban.id,
    ]),
  );
}

function usersTable({ users }: z.infer<typeof answers.users>): string {
  if (users.length === 0) return "No user is connected.\n";
  return tableOfPeer(
    ["NAME", "ADDRESS", "SINCE", "FOR"],
    users.map(({ username, address, connectedSince, connectedSeconds, away }) => [
      username,
      address,
      moment(connectedSince),
      `${duration(connectedSeconds)}${away ? ", away" : ""}`,
    ]),
  );
}

function target({ name, address }: Ban): string {
  return [name, address].filter((part) => part !== null).map(printable).join(" and ");
}

function until({ endsAt }: Ban): string {
  return endsAt === null ? "until it is lifted" : `until ${moment(endsAt)}`;
}
