/**
 * Opens a link to NATS as a node does, with settings that are the defaults but for those that a test gives.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import type { NatsSettings } from "../../../chat/cluster/cluster_settings.ts";
import { NatsLink } from "../../../chat/cluster/nats_connection.ts";
import { CannotStart } from "../../../src/serving/start_failure.ts";
import { recordedLog } from "../../support/recorded_log.ts";

export function openLink(
  settings: Partial<NatsSettings> & Pick<NatsSettings, "servers">,
  log = recordedLog().log,
): Promise<NatsLink> {
  return NatsLink.open(
    { user: undefined, password: undefined, credsFile: undefined, caFile: undefined, ...settings },
    { name: "chatter a", room: "room", log, steadyMs: () => performance.now() },
  );
}

/** The line by which the link is refused. */
export async function refusalOf(settings: Parameters<typeof openLink>[0]): Promise<string> {
  const error = await assertRejects(() => openLink(settings), CannotStart);
  assertEquals(error.message.includes("\n"), false, error.message);
  return error.message;
}
