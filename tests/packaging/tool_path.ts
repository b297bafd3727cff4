/**
 * Programs of the neighbourhood that a test needs: where each is, and one line where it is not.
 *
 * @module
 */
import { saySkipped } from "../support/skipped_line.ts";

/** Where programs of an administrator are, which may not be on everybody's PATH. */
const MORE_FOLDERS = ["/usr/sbin", "/usr/local/sbin"];

/** The file of a program. Where it is not installed: undefined, and one line says what is skipped. */
export function toolPath(name: string): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), ...MORE_FOLDERS];
  const path = folders.map((folder) => `${folder}/${name}`).find(isFile);
  if (path === undefined) sayMissing(name);
  return path;
}

/** Says in one line which tests are skipped. */
export function sayMissing(name: string): void {
  saySkipped(`the tests that need ${name}, which is not here`);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
