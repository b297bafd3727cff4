/**
 * Which names a mention may mean, and which messages call the user.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { KnownNames } from "../../../chat/web/people/known_names.ts";
import { USERNAME_LENGTH_MAX } from "../../../src/protocol/limits.ts";

function room(username: string, users: string[], away: string[] = []) {
  const roster = { username, users, away };
  const names = new KnownNames(roster);
  names.changed();
  return { roster, names };
}

Deno.test("a message calls the one whom it mentions or answers, by the folded name, and no one else", () => {
  const { names } = room("Bob", ["Bob", "Bob B.", "alice"], ["Zoë"]);
  for (const text of ["@Bob", "hi @BOB!", "**@bob**: tea?", "> bob: hello\nyes", "@Ｂｏｂ", "a (@bob)"]) {
    assertEquals(names.isCalled(text), true, text);
  }
  for (
    const text of ["bob", "@bobby", "@Bob B. hi", "`@bob`", "> @bob said\nyes", "me@bob.example", "> bob: hi"]
  ) {
    assertEquals(names.isCalled(text), false, text);
  }
});

Deno.test("a name of as many marks as a name may have is called by a mention and by a reply", () => {
  const marked = "a" + "\u0489".repeat(USERNAME_LENGTH_MAX - 1);
  const { names } = room(marked, [marked]);
  for (const text of [`@${marked} tea?`, `> ${marked}: tea\nyes`]) assertEquals(names.isCalled(text), true);
});

Deno.test("names with blanks are known while they are here or away, and one's former name calls still", () => {
  const { roster, names } = room("Bob B.", ["Bob B.", "Al Ice"], ["Zo ë"]);
  assertEquals(names.others.map(({ shown }) => shown), ["Al Ice", "Zo ë"]);
  assertEquals(["al ice", "zo ë", "bob b.", "bob"].map((name) => names.isName(name)), [
    true,
    true,
    true,
    false,
  ]);
  assertEquals(names.isCalled("@bob b. hi"), true);
  Object.assign(roster, { username: "Robert", users: ["Robert"], away: [] });
  names.changed();
  assertEquals(names.others, []);
  assertEquals(["@Bob B.", "@robert", "@Al Ice"].map((text) => names.isCalled(text)), [true, true, false]);
  assertEquals(names.isName("al ice"), false);
  Object.assign(roster, { users: ["Robert", "bob b."] });
  names.changed();
  assertEquals(names.isCalled("@Bob B."), false, "the name is another user's now");
});
