/**
 * The regular expressions of source files: literals, and `new RegExp` from constants. Deno's linter, whose plugins run
 * inside `deno test`, provides the syntax.
 *
 * @module
 */
import type { SourceFile } from "./source_rules.ts";

export interface FoundPattern {
  /** As `src/address.ts:14`. */
  readonly place: string;
  readonly source: string;
  readonly flags: string;
}

// deno-lint-ignore no-explicit-any -- nodes of every kind come through, each looked at by its `type`
type Node = any;

/** All patterns of `files`. Throws for one that is made from anything but constants. */
export function patternsOf(files: readonly SourceFile[]): FoundPattern[] {
  const constants = new Map<string, Node>();
  const made: { place: string; pattern: Node; flags: Node }[] = [];
  const found: FoundPattern[] = [];
  for (const { path, text } of files) {
    const placeOf = (node: Node) => `${path}:${text.slice(0, node.range[0]).split("\n").length}`;
    visitAll(path, text, (node) => {
      if (node.type === "VariableDeclarator" && node.id.type === "Identifier" && node.init) {
        constants.set(`${path} ${node.id.name}`, node.init);
        // For other files: a constant that is exported has one name in the program.
        if (node.parent?.parent?.type === "ExportNamedDeclaration") constants.set(node.id.name, node.init);
      } else if (node.type === "Literal" && node.regex) {
        found.push({ place: placeOf(node), source: node.regex.pattern, flags: node.regex.flags });
      } else if (node.callee?.name === "RegExp") {
        const [pattern, flags] = node.arguments;
        made.push({ place: placeOf(node), pattern, flags });
      }
    });
  }
  for (const { place, pattern, flags } of made) {
    const path = place.slice(0, place.lastIndexOf(":"));
    const valueOf = (node: Node): string => {
      const value = constantValue(node, (name) => constants.get(`${path} ${name}`) ?? constants.get(name));
      if (value === undefined) throw new Error(`${place}: the pattern is not made from constants`);
      return value;
    };
    found.push({ place, source: valueOf(pattern), flags: flags === undefined ? "" : valueOf(flags) });
  }
  return found;
}

/** The text of an expression of constants; undefined for any other. */
function constantValue(node: Node, lookUp: (name: string) => Node): string | undefined {
  const valueOf = (inner: Node) => constantValue(inner, lookUp);
  const joined = (parts: readonly (string | undefined)[]) =>
    parts.includes(undefined) ? undefined : parts.join("");
  const template = ({ quasis, expressions }: Node, kind: "raw" | "cooked") =>
    joined(quasis.flatMap((quasi: Node, i: number) => [
      quasi.value?.[kind] ?? quasi[kind],
      ...i < expressions.length ? [valueOf(expressions[i])] : [],
    ]));
  switch (node?.type) {
    case "Literal":
      return String(node.value);
    case "Identifier": {
      const meant = lookUp(node.name);
      return meant === undefined ? undefined : valueOf(meant);
    }
    case "MemberExpression": {
      const meant = lookUp(node.object.name);
      const property = objectOf(meant)?.properties.find(({ key }: Node) => key?.name === node.property.name);
      return property === undefined ? undefined : valueOf(property.value);
    }
    case "TemplateLiteral":
      return template(node, "cooked");
    case "TaggedTemplateExpression":
      return template(node.quasi, "raw");
    case "BinaryExpression": {
      const [left, right] = [valueOf(node.left), valueOf(node.right)];
      if (left === undefined || right === undefined) return undefined;
      return isNumber(node.left) || isNumber(node.right)
        ? String(Number(left) + Number(right))
        : left + right;
    }
  }
  return undefined;

  function isNumber(inner: Node): boolean {
    return inner.type === "Literal" && typeof inner.value === "number";
  }
}

function objectOf(node: Node): Node {
  return node?.type === "TSAsExpression" || node?.type === "TSSatisfiesExpression"
    ? objectOf(node.expression)
    : node;
}

function visitAll(path: string, text: string, visit: (node: Node) => void): void {
  const plugin: Deno.lint.Plugin = {
    name: "patterns",
    rules: {
      collect: { create: () => ({ "VariableDeclarator, Literal, NewExpression, CallExpression": visit }) },
    },
  };
  Deno.lint.runPlugin(plugin, path, text);
}
