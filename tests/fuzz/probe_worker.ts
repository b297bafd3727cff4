/**
 * A thread of its own that asks a program now and then while the fuzzer is busy, and reports how long each answer took.
 * Its message is what to ask; it answers with milliseconds, or with the text of an error.
 *
 * @module
 */
import { healthProbe, pingProbe } from "../support/probe.ts";

/** Milliseconds between two questions, and questions of one client, which answers no heartbeat. */
const PAUSE_MS = 100;
const QUESTIONS_MAX = 100;

/** The thread as it sees itself: the types of workers are not loaded, since they change those of the pages. */
const thread = globalThis as unknown as Pick<Worker, "onmessage" | "postMessage">;

thread.onmessage = async ({ data: { url, isChat } }: MessageEvent<{ url: string; isChat: boolean }>) => {
  while (true) {
    try {
      await using probe = isChat ? await pingProbe(url) : await healthProbe(url);
      for (let asked = 0; asked < QUESTIONS_MAX; asked++) {
        thread.postMessage(await probe.wait());
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    } catch (error) {
      thread.postMessage(String(error));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
};
