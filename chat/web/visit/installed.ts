/**
 * Installs the service worker, some time after the user entered: a page from which no user joins needs none.
 *
 * @module
 */
/// <reference lib="dom" />

/** Milliseconds in which the room has the connection for itself. */
const LATER_MS = 3000;
const ADDRESS = "service_worker.js";

/** Only a policy makes an address of a script, PAGE_POLICY. No other can be made once this one is. */
interface Policies {
  createPolicy(name: string, rules: { createScriptURL: () => string }): {
    createScriptURL(address: string): string;
  };
}
const policies = (globalThis as { readonly trustedTypes?: Policies }).trustedTypes;
const address = policies?.createPolicy("service-worker", { createScriptURL: () => ADDRESS })
  .createScriptURL(ADDRESS) ?? ADDRESS;

/** Call when the user is in the room. Waits longer while the server cannot be reached. */
export function installLater(isConnected: () => boolean): void {
  setTimeout(() => {
    if (!isConnected()) return installLater(isConnected);
    // Without it, as on plain HTTP from another machine, the page needs the server to open.
    navigator.serviceWorker?.register(address).catch(() => {});
  }, LATER_MS);
}
