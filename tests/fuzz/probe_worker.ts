/**
 * A thread of its own that asks a program now and then while the fuzzer is busy, and reports how long each answer took.
 * Its message is what to ask; it answers with milliseconds, or with the text of an error.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { healthProbe, pingProbe } from "../support/probe.ts";

/** Milliseconds between two questions, and questions of one client, which answers no heartbeat. */
const PAUSE_MS = 100;
const QUESTIONS_MAX = 100;

self.onmessage = async ({ data: { url, isChat } }: MessageEvent<{ url: string; isChat: boolean }>) => {
  while (true) {
    try {
      await using probe = isChat ? await pingProbe(url) : await healthProbe(url);
      for (let asked = 0; asked < QUESTIONS_MAX; asked++) {
        self.postMessage(await probe.wait());
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    } catch (error) {
      self.postMessage(String(error));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
};
