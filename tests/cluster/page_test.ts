/**
 * The chat page on a cluster, in a real browser: opened on one node, written on another, the first is killed, and the page
 * goes on. Skipped where there is no browser or no nats-server.
 *
 * @module
 */
import { testInBrowser } from "../support/browser.ts";
import { ChatPage } from "../support/chat_page.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { startServer } from "../support/program.ts";
import { until } from "../support/until.ts";
import { isReady } from "./cluster_stage.ts";
import { NATS_SERVER, NatsServers } from "./nats_servers.ts";

if (NATS_SERVER !== undefined) {
  testInBrowser("a page whose node is killed goes on at another, with every message once", async (stage) => {
    await using servers = await NatsServers.start();
    const flags = ["--cluster", servers.urls[0]!, "--cluster-replicas", "1"];
    await using a = await startServer("chat", flags);
    await until("the first is ready", () => isReady(a));
    await using b = await startServer("chat", flags);
    await until("the other is ready", () => isReady(b));
    // The load balancer.
    await using proxy = new CuttingProxy({ target: Number(new URL(a.url).port) });
    const alice = await ChatPage.join(stage, proxy.url, "alice");
    const bob = await ChatPage.join(stage, b.url, "bob");
    await alice.say("opened on one");
    await bob.readsMessages("opened on one");
    await bob.say("written on another");
    await alice.readsMessages("opened on one", "written on another");
    proxy.target = Number(new URL(b.url).port);
    a.kill("SIGKILL");
    await bob.say("the first is killed");
    await alice.isLive();
    const texts = ["opened on one", "written on another", "the first is killed"];
    await alice.readsMessages(...texts);
    await alice.say("and the page goes on");
    for (const page of [alice, bob]) await page.readsMessages(...texts, "and the page goes on");
  });
}
