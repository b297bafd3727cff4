/**
 * `deno task test:browser:install`: installs the browser for the browser tests from Debian's packages by apt-get,
 * unless it exists. It needs root, and says what to do if it fails.
 *
 * @module
 */
import { say } from "./run_deno.ts";

const PACKAGES = ["chromium-headless-shell", "fonts-dejavu-core", "fonts-noto-color-emoji"];
const BROWSER = "/usr/bin/chromium-headless-shell";

async function aptGet(...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("apt-get", {
      args: ["-q", ...args],
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
    }).spawn().status;
    return success;
  } catch {
    // apt-get does not exist here.
    return false;
  }
}

async function isThere(): Promise<boolean> {
  const named = Deno.env.get("CHATTER_BROWSER");
  return await Deno.stat(named ?? BROWSER).then(({ isFile }) => isFile, () => false);
}

async function install(): Promise<boolean> {
  // A partial update may suffice; only the installation counts.
  await aptGet("update");
  return await aptGet("install", "-y", "--no-install-recommends", ...PACKAGES) && await isThere();
}

if (await isThere()) {
  say("There is a browser already.");
} else if (await install()) {
  say(`Installed ${BROWSER}.`);
} else {
  say(
    "No browser was installed. Install a Chromium, such as Debian's chromium-headless-shell, and name it in\n" +
      "CHATTER_BROWSER if it is not in /usr/bin. Until then, the browser tests are skipped.",
  );
  Deno.exit(1);
}
