/**
 * The listing's API as an HTML page without script, PROTOCOL.md §9.13. All content comes from the given OpenAPI
 * document; it knows no route and no refusal. hono's `html` escapes all texts.
 *
 * @module
 */
import { html } from "hono/html";
import { PAGE_HEADERS, PAGE_POLICY } from "../../src/serving/web_assets.ts";
import { type Html, htmlPage } from "./html_page.ts";

/** The policy forbids scripts and connections, because the page needs none. */
export const API_PAGE_HEADERS: Readonly<Record<string, string>> = {
  ...PAGE_HEADERS,
  "content-security-policy": PAGE_POLICY
    .replace("script-src 'self'", "script-src 'none'").replace("connect-src 'self'", "connect-src 'none'"),
  "content-type": "text/html; charset=utf-8",
};

/** The fields of an OpenAPI 3.1 document that the page uses. */
export interface ApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly securitySchemes: Readonly<Record<string, { readonly description: string }>>;
  };
}

interface Operation {
  readonly summary: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

type Content = Readonly<
  Record<string, {
    readonly schema: Schema;
    readonly examples?: Readonly<Record<string, { readonly value: string }>>;
  }>
>;

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly description?: string;
}

/** An array of pieces, because a template would add white space between text and markup. */
type Piece = Html | string | readonly Piece[];

/** One request, with its anchor on the page. */
interface Asked {
  readonly anchor: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export function apiPage(api: ApiDocument): Promise<string> {
  const { info, openapi, components } = api;
  return htmlPage({
    title: "The API of this listing",
    description: "The HTTP API of this listing of chat servers.",
    style: "listing/web/api_page.css",
    skipTo: ["requests", "requests"],
    facts: html`
      <span>${info.title} ${info.version}</span>
      <span><a href="openapi.json">OpenAPI ${openapi}</a></span>
      <span><a href="./">The servers</a></span>
    `,
    main: html`
      <p>Any client may use this API, from any origin. The listing reads every body as JSON. It answers a refused
        request with a status and one line of text. In these texts, <code>{detail}</code> is the part that
        depends on the request.</p>
      ${Object.entries(components.securitySchemes).map(([name, { description }]) =>
        html`<p><strong id="key-${name}">The key.</strong> ${description}</p>`
      )}
      ${requests(operationsOf(api))}
      ${Object.entries(components.schemas).map(([name, schema]) =>
        html`
          <section class="note" aria-labelledby="object-${name}">
            <h2 id="object-${name}">${name}</h2>
            ${properties(schema)}
          </section>
        `
      )}
    `,
    footer: html`This page has no script. Programs use <a href="openapi.json">/openapi.json</a>.`,
  });
}

/** A table of contents, then each request. */
function requests(asked: readonly Asked[]): Html {
  return html`
    <nav aria-label="Requests" id="requests" class="note">
      <ul>${asked.map(
        ({ anchor, method, path, operation }) =>
          html`
            <li><a href="#${anchor}"><span class="method">${method} </span>${path}</a>
              <span class="summary">${operation.summary}</span></li>
          `,
      )}</ul>
    </nav>
    ${asked.map(section)}
  `;
}

function operationsOf({ paths }: ApiDocument): Asked[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      anchor: [method, ...path.match(/[a-z]+/gi) ?? []].join("-"),
      method: method.toUpperCase(),
      path,
      operation,
    }))
  );
}

function section({ anchor, method, path, operation }: Asked): Html {
  const { summary, security = [], parameters = [], requestBody, responses } = operation;
  return html`
    <section class="note" aria-labelledby="${anchor}">
      <h2 id="${anchor}"><span class="method">${method}</span> <code>${path}</code></h2>
      <p>${[summary, ".", key(security)]}</p>
      ${parameters.length === 0 ? "" : html`
        <h3>Parameters</h3>
        <dl>${parameters.map(parameter)}</dl>
      `}
      ${requestBody === undefined ? "" : body(requestBody)}
      <h3>Answers</h3>
      <dl>${Object.entries(responses).map(([status, { description, content }]) =>
        html`
          <dt><span class="status${Number(status) >= 400 ? " refused" : ""}">${status}</span></dt>
          <dd><p>${[description, answered(content), "."]}</p>${refusals(content)}</dd>
        `
      )}</dl>
    </section>
  `;
}

/** States whether the key is needed: an empty alternative makes it optional. */
function key(security: readonly Readonly<Record<string, unknown>>[]): Piece {
  const name = security.flatMap((way) => Object.keys(way))[0];
  if (name === undefined) return "";
  const isOptional = security.some((way) => Object.keys(way).length === 0);
  return [
    " ",
    html`<a href="#key-${name}">${isOptional ? "The key is optional." : "The key is required."}</a>`,
  ];
}

function parameter({ name, in: place, required, description = "", schema }: Parameter): Html {
  return term(name, required ? `${place}, required` : place, value(schema), description);
}

function body({ required, content }: { readonly required?: boolean; readonly content: Content }): Html {
  return html`
    <h3>Body</h3>
    <p>${required
      ? "A JSON object of any of these; an absent property stays unchanged."
      : "A JSON object of any of these, or no body."}</p>
    ${Object.values(content).map(({ schema }) => properties(schema))}
  `;
}

function properties({ properties = {}, required = [] }: Schema): Html {
  const place = (name: string) => required.length > 0 && !required.includes(name) ? "optional" : "";
  return html`
    <dl>${Object.entries(properties).map(([name, schema]) =>
      term(name, place(name), value(schema), schema.description ?? "")
    )}</dl>
  `;
}

function term(name: string, place: string, value: Piece, description: string): Html {
  return html`
    <dt><code>${name}</code> <span class="place">${place}</span></dt>
    <dd>${[value, description === "" ? "" : `: ${description}`, "."]}</dd>
  `;
}

/** Describes a response body; empty for a refusal, whose texts follow. */
function answered(content: Content = {}): Piece {
  const [type, { schema, examples } = { schema: {} }] = Object.entries(content)[0] ?? [];
  if (type === undefined || examples !== undefined) return "";
  return schema.$ref === undefined ? [", as ", html`<code>${type}</code>`] : [": ", value(schema)];
}

function refusals(content: Content = {}): Piece {
  const named = Object.values(content).flatMap(({ examples = {} }) => Object.entries(examples));
  if (named.length === 0) return "";
  return html`
    <ul>${named.map(([name, { value }]) => html`<li><code>${name}</code> <span>${value}</span></li>`)}</ul>
  `;
}

/** Describes in words which values a schema allows. */
function value(schema: Schema): Piece {
  const { $ref, items, enum: choices, default: otherwise } = schema;
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return html`<a href="#object-${name}">${name}</a>`;
  }
  if (items !== undefined) return ["a list of ", value(items)];
  const what = choices?.map((choice, i) => [i === 0 ? "" : " or ", html`<code>${choice}</code>`]) ??
    kind(schema);
  const hasDefault = otherwise !== undefined && otherwise !== "";
  return [what, !hasDefault ? "" : [", ", html`<code>${String(otherwise)}</code>`, " by default"]];
}

function kind({ type, minimum = 0, maximum, maxLength }: Schema): string {
  if (type === "string") return maxLength === undefined ? "text" : `text of at most ${maxLength} characters`;
  return `${type === "integer" ? "an integer" : `a ${type}`}${
    maximum === undefined ? "" : ` from ${minimum} to ${maximum}`
  }`;
}
