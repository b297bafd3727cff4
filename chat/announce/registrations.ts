/**
 * The registrations of a server, one for each listing, and what it says of itself there.
 *
 * @module
 */
import type { Announcement } from "../../src/announcement/schema.ts";
import { logger } from "../../src/logging/log.ts";
import type { Tracing } from "../../src/metrics/tracing.ts";
import type { ChatMeters } from "../meters.ts";
import { ListingClient } from "./listing_client.ts";
import type { Proofs } from "./proofs.ts";
import { type KeyStore, Registration } from "./registration.ts";

export interface Reachability {
  /** Base URLs of the listings to register with. */
  readonly listings: readonly string[];
  /** The open port. Without `--address` a listing gets `:port` and finds the host itself. */
  readonly port: number;
}

export interface RegistrationsParts extends Reachability {
  readonly serverId: number;
  /** Read at each request. */
  readonly settings: {
    readonly name: string;
    readonly address: string | undefined;
    readonly description?: string | undefined;
    readonly tags?: readonly string[] | undefined;
    readonly language?: string | undefined;
    readonly limits: { readonly maxUsers: number };
  };
  readonly connectedUsers: () => number;
  readonly proofs: Pick<Proofs, "of">;
  readonly keys: KeyStore;
  readonly meters: ChatMeters;
  readonly tracing: Tracing | undefined;
}

/** Registers with the listings, without waiting for them. */
export function beginRegistrations(
  { listings, port, serverId, settings, connectedUsers, proofs, ...rest }: RegistrationsParts,
): Registration[] {
  const describe = (): Announcement => ({
    serverName: settings.name,
    address: settings.address ?? `:${port}`,
    connectedUsers: connectedUsers(),
    maxUsers: settings.limits.maxUsers,
    // Named only where set: a listing of another version may refuse them.
    ...(settings.description !== undefined && { description: settings.description }),
    ...(settings.tags !== undefined && { tags: [...settings.tags] }),
    ...(settings.language !== undefined && { language: settings.language }),
  });
  return listings.map((listing) =>
    new Registration({
      listing: new ListingClient(listing, serverId, proofs.of(listing)),
      describe,
      random: Math.random,
      log: logger("registration"),
      ...rest,
    })
  );
}
