/**
 * The web page of docs/clients.md in a real browser, from another origin than the chat server's. Its code alone is
 * tested in tests/packaging/example_clients_test.ts.
 *
 * @module
 */
import { testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";

const FOLDER = new URL("../../docs/examples/", import.meta.url);
const TYPES: Readonly<Record<string, string>> = { html: "text/html", mjs: "text/javascript" };

async function answer(request: Request): Promise<Response> {
  const name = new URL(request.url).pathname.slice(1);
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
  // For the browser's request for an icon.
  if (type === undefined) return new Response(null, { status: 204 });
  return new Response(await Deno.readTextFile(new URL(name, FOLDER)), { headers: { "content-type": type } });
}

testInBrowser(
  "the page of the documents shows what is said and changed as text, and says what is typed",
  async (stage) => {
    await using server = await startTestChat({ name: "Pub" });
    await using bob = await ChatClient.connect(server.url, "bob");
    const web = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
    const page = await stage.visitor();
    const reads = (...rows: string[]) =>
      page.waitForFunction(
        (rows) =>
          [...document.querySelectorAll("#messages li")].map((row) => row.textContent).join("\n") === rows,
        {},
        rows.join("\n"),
      );
    const chat = encodeURIComponent(server.url.replace("http", "ws"));
    await page.goto(`http://127.0.0.1:${web.addr.port}/page.html?server=${chat}&name=alice`);
    await page.waitForFunction(() => document.title === "Pub");
    await page.type("input", "one; two");
    await page.keyboard.press("Enter");
    await reads("alice: one; two");
    await page.waitForFunction(() => document.querySelector("input")!.value === "");
    const id = await bob.say("<b>hi</b>");
    await reads("alice: one; two", "bob: <b>hi</b>");
    await bob.ask(`c2/QUERY update_message; ${id}; bye`);
    await reads("alice: one; two", "bob: bye");
    await page.close();
    await web.shutdown();
  },
);
