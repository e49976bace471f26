import { html, type Html, type HtmlPart } from './html.ts';

/** A column of a table on the status page. */
export interface Column<T> {
  readonly heading: string;
  /** Numbers stand to the right; long text gets a line of its own on a phone. */
  readonly kind?: 'number' | 'text';
  cell(row: T): HtmlPart;
}

/**
 * A table with headers for screen readers. The first column names the row. Roles are written out, because a browser may
 * forget them where a phone shows each row as a card; a table of two columns stays one there.
 */
export function table<T>(
  label: string,
  columns: readonly [Column<T>, ...Column<T>[]],
  rows: readonly T[],
  keyOf: (row: T) => string,
): Html {
  const [first, ...others] = columns;
  const kindOf = ({ kind }: Column<T>): string => (kind === 'number' ? 'n' : kind === 'text' ? 'text' : 'w');
  return html`<table role="table" aria-label="${label}" class="${others.length === 1 ? 'pairs' : ''}">
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map((column) => html`<th role="columnheader" scope="col" class="${kindOf(column)}">${column.heading}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr role="row" data-key="${keyOf(row)}">
            <th role="rowheader" scope="row">${first.cell(row)}</th>
            ${others.map(
              (column) =>
                html`<td role="cell" class="${kindOf(column)}" data-label="${column.heading}">
                  <span>${column.cell(row)}</span>
                </td>`,
            )}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Something to look at: said by weight and words too, not by colour alone. */
export function mark(isWrong: boolean, text: HtmlPart, how: 'warn' | 'bad' = 'warn'): HtmlPart {
  return isWrong ? html`<strong class="${how}">${text}</strong>` : text;
}
