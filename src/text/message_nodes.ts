/**
 * A message's text as a small tree, PROTOCOL.md §4.5. `marks` are the characters that format: they and the texts of all
 * nodes, joined in order, are the message as it was sent.
 *
 * @module
 */

export type InlineNode =
  | { readonly kind: "plain"; readonly text: string }
  /** `@name`, and the name's folded form. */
  | { readonly kind: "mention"; readonly text: string; readonly folded: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string }
  | { readonly kind: "code"; readonly open: string; readonly text: string; readonly close: string }
  | {
    readonly kind: "bold" | "italic" | "struck";
    readonly open: string;
    readonly nodes: readonly InlineNode[];
    readonly close: string;
  };

/** Code of several lines. Its marks have the lines' breaks, so that the text has none around it. */
export interface Fence {
  readonly kind: "fence";
  readonly open: string;
  /** The word after the marks, or "". */
  readonly language: string;
  readonly text: string;
  readonly close: string;
}

export interface QuoteLine {
  readonly mark: string;
  readonly nodes: readonly InlineNode[];
  /** The break after the line; "" at the text's end. */
  readonly end: string;
}

export interface Quote {
  readonly kind: "quote";
  readonly lines: readonly QuoteLine[];
  /** What the message answers, if it begins with `> name: beginning`. */
  readonly reply: Reply | undefined;
}

export interface Reply {
  /** `> name: `, and `/me ` before an action. */
  readonly mark: string;
  readonly isAction: boolean;
  readonly name: string;
  readonly folded: string;
  /** The beginning of the answered message, without a final ellipsis. */
  readonly beginning: string;
  /** It had the ellipsis: the answered message goes on. */
  readonly isCut: boolean;
}

export type MessageNode = InlineNode | Fence | Quote;

export interface MessageText {
  /** `/me ` before an action, else "". */
  readonly action: string;
  readonly nodes: readonly MessageNode[];
}
