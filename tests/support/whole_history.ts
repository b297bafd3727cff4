/**
 * The whole history of a chat server, read page by page as a client does, PROTOCOL.md §5.4.
 *
 * @module
 */
import { ChatClient } from "./chat_client.ts";

export interface KeptMessage {
  readonly uuid: string;
  readonly message: string;
}

/** The oldest first. */
export async function wholeHistory(url: string): Promise<KeptMessage[]> {
  await using reader = await ChatClient.connect(url, "historian");
  let all: KeptMessage[] = [];
  while (true) {
    const before = all.length === 0 ? "" : `; ${all[0]!.uuid}`;
    const answer = await reader.ask(`c2/QUERY history; 200${before}`);
    const page = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)) as KeptMessage[];
    if (page.length === 0) return all;
    all = [...page, ...all];
  }
}
