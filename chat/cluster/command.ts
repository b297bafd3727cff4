/**
 * Commands of an operator and their outcomes: bans, kicks, and small values that the room keeps. A command is a numbered
 * input of its node, so that it takes effect once, whichever node leads. Pure; rulings.ts decides.
 *
 * @module
 */
import type { Username } from "../../src/protocol/names.ts";
import type { Ban, Bans } from "../room/bans.ts";
import type { SessionId } from "../room/roster.ts";

export type OperatorCommand =
  | {
    readonly type: "ORDER_BAN";
    readonly id: string;
    readonly name: Username | undefined;
    readonly address: string | undefined;
    /** Bans the address of the session with this name too. */
    readonly withAddress: boolean;
    readonly message: string;
    readonly seconds: number | undefined;
  }
  | { readonly type: "ORDER_LIFT"; readonly which: { readonly id: string } | { readonly name: Username } }
  | { readonly type: "ORDER_KICK"; readonly name: Username }
  /** A value of the whole room, such as a listing's key. */
  | { readonly type: "ORDER_KEEP"; readonly key: string; readonly value: string };

export type Ruled =
  | { readonly kind: "banned"; readonly ban: Ban; readonly disconnected: readonly string[] }
  | { readonly kind: "lifted"; readonly bans: readonly Ban[] }
  | { readonly kind: "kicked"; readonly username: string }
  | { readonly kind: "kept" }
  | { readonly kind: "refused"; readonly refusal: "NOT_CONNECTED" | "TOO_MANY_BANS" | "BAN_UNKNOWN" };

/** The outcome of a command, as the log has it. Bans that are removed come first. */
export interface Ruling {
  readonly removed: readonly string[];
  readonly added: readonly Ban[];
  readonly kept: readonly (readonly [key: string, value: string])[];
  readonly answer: Ruled;
}

/** A session that a command ends. */
export interface Ending {
  readonly session: SessionId;
  readonly input: { readonly type: "KICK" } | { readonly type: "BAN"; readonly message: string };
}

export function isCommand(input: { readonly type: string }): input is OperatorCommand {
  return input.type.startsWith("ORDER_");
}

/** Applies the bans of a ruling. */
export function followRuling(bans: Bans, { removed, added }: Ruling): void {
  for (const id of removed) {
    const known = bans.get(id);
    if (known !== undefined) bans.remove(known);
  }
  for (const one of added) {
    const known = bans.get(one.id);
    if (known !== undefined) bans.remove(known);
    bans.add(one);
  }
}
