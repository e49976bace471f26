/** Markup that is safe to send: made by {@link html}, which escapes everything that is put into it. */
export interface Html {
  readonly markup: string;
}

/** What may stand in a `${}` of {@link html}. */
export type HtmlPart = string | number | Html | null | undefined | false | readonly HtmlPart[];

/** A template whose values are escaped; markup comes only from other templates, nothing from `null`, `undefined`, `false`. */
export function html(texts: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return { markup: texts.map((text, index) => text + render(parts[index])).join('') };
}

/**
 * Text of this program as markup, for a style sheet or a script; never for what comes from outside.
 *
 * @param markup must hold no end tag of the element it goes into
 */
export function trusted(markup: string): Html {
  return { markup };
}

function render(part: HtmlPart): string {
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return escape(part);
  return 'markup' in part ? part.markup : part.map(render).join('');
}

/**
 * Names come from exporters: no markup, no end of an attribute; a control character would hide what stands beside it.
 */
function escape(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd').replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
