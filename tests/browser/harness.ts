/**
 * The harness itself: each visitor has a browser context, and the harness catches what no page may do.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { accessibilityFaults, DESK, PHONE, sidewaysOverflow, testInBrowser } from "../support/browser.ts";
import { freePort } from "../support/free_port.ts";
import { until } from "../support/until.ts";

function servePage(html: string, headers: Record<string, string> = {}) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) =>
      /\/(?:favicon\.ico|nothing)$/.test(url)
        ? new Response(null, { status: url.endsWith("/nothing") ? 404 : 204 })
        : new Response(html, { headers: { "content-type": "text/html; charset=utf-8", ...headers } }),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const page = (body: string) =>
  `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>A page</title>${body}`;

testInBrowser(
  "two visitors share nothing, and each has the window and colours asked for",
  async ({ visitor }) => {
    await using served = servePage(page("<main><h1>Hello</h1></main>"));
    const alice = await visitor({ size: PHONE, scheme: "dark", reducedMotion: true });
    const bob = await visitor({ timeZone: "Asia/Tokyo" });
    await Promise.all([alice.goto(served.url), bob.goto(served.url)]);
    await alice.evaluate(() => localStorage.setItem("name", "alice"));
    const seen = () => [
      document.querySelector("h1")?.textContent,
      innerWidth,
      matchMedia("(prefers-color-scheme: dark)").matches,
      matchMedia("(prefers-reduced-motion: reduce)").matches,
      localStorage.getItem("name"),
    ];
    assertEquals(await alice.evaluate(seen), ["Hello", PHONE.width, true, true, "alice"]);
    assertEquals(await bob.evaluate(seen), ["Hello", DESK.width, false, false, null]);
    assertEquals(await bob.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone), "Asia/Tokyo");
  },
);

testInBrowser("a page that throws, breaks its policy or asks another origin is caught", async (stage) => {
  await using served = servePage(
    page("<h1>Hi</h1><img src=https://example.org/a.png alt=a><script>throw Error('inline')</script>"),
    { "content-security-policy": "script-src 'none'" },
  );
  const alice = await stage.visitor();
  await alice.goto(served.url);
  await alice.evaluate(() =>
    new Promise<void>((resolve) => {
      setTimeout(() => {
        setTimeout(resolve);
        throw new Error("thrown");
      });
    })
  );
  const misdeeds = stage.misdeeds.splice(0).join("\n");
  for (
    const part of ["asked another origin: https://example.org/a.png", "Content Security Policy", "thrown"]
  ) {
    assertEquals(misdeeds.includes(part), true, `${part} in ${misdeeds}`);
  }
});

testInBrowser("a page may miss its own server when that has ended, and nothing else", async (stage) => {
  const alice = await stage.visitor();
  const ask = (url: string) => alice.evaluate((url) => fetch(url).then(() => {}, () => {}), url);
  const caught = async () => {
    await until("something is caught", () => stage.misdeeds.length > 0);
    return stage.misdeeds.splice(0);
  };
  const elsewhere = `http://127.0.0.1:${freePort()}/`;
  const complaint = "console: Failed to load resource:";
  {
    await using served = servePage(page("<h1>Hi</h1>"));
    await alice.goto(served.url);
    await ask("nothing");
    assertEquals(await caught(), [
      `${complaint} the server responded with a status of 404 (Not Found) ${served.url}nothing`,
    ]);
  }
  await ask("nothing");
  await ask(elsewhere);
  assertEquals(await caught(), [`${complaint} net::ERR_CONNECTION_REFUSED ${elsewhere}`]);
});

testInBrowser("a visitor without script runs none", async ({ visitor }) => {
  await using served = servePage(page("<h1>Hi</h1><script>document.body.textContent = 'ran'</script>"));
  const alice = await visitor({ script: false });
  await alice.goto(served.url);
  assertEquals(await alice.$eval("h1", (heading) => heading.textContent), "Hi");
});

testInBrowser("axe names what a page withholds from some people, with the place", async ({ visitor }) => {
  await using good = servePage(page("<main><h1>Hi</h1><label>Name <input></label></main>"));
  await using bad = servePage(page("<main><h1>Hi</h1><input></main>"), {
    "content-security-policy": "default-src 'none'",
  });
  const alice = await visitor();
  await alice.goto(good.url);
  assertEquals(await accessibilityFaults(alice), []);
  await alice.goto(bad.url);
  assertEquals(await accessibilityFaults(alice), ["label: Form elements must have labels: input"]);
  await using dim = servePage(
    page(
      "<style>@media (prefers-color-scheme:dark){p{color:#222;background:#111}}</style><main><h1>Hi</h1><p>dim",
    ),
  );
  await alice.goto(dim.url);
  assertEquals(await accessibilityFaults(alice), [
    "dark: color-contrast: Elements must meet minimum color contrast ratio thresholds: p",
  ]);
});

testInBrowser("what is wider than the window is measured", async ({ visitor }) => {
  await using served = servePage(page("<style>body{margin:0}p{width:500px;margin:0}</style><p>Hi"));
  const alice = await visitor({ size: { width: 400, height: 300 } });
  await alice.goto(served.url);
  assertEquals(await sidewaysOverflow(alice), 100);
});
