/** Calls `visit` for each line that is not empty, without the white space around it; lines count from 1. */
export function forEachLine(text: string, visit: (line: string, number: number) => void): void {
  let number = 0;
  for (let from = text.startsWith('\ufeff') ? 1 : 0; from < text.length;) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    number++;
    const line = text.slice(from, to).trim();
    if (line !== '') visit(line, number);
    from = to + 1;
  }
}

/** A time in UTC in one of the ways that lists write it, such as `Sat Nov 21 01:00:22 UTC 2026` or `2026-11-21 01:00:22`; 0 when it is none. */
export function parseListTime(text: string): number {
  const isBare = /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?$/.test(text);
  const time = Date.parse(isBare ? `${text.replace(' ', 'T')}${text.length > 10 ? 'Z' : ''}` : text);
  return Number.isNaN(time) ? 0 : time;
}
