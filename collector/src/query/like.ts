/**
 * SQL's LIKE over a whole text: `%` is any run of characters, `_` one, a backslash takes their meaning away and is
 * itself elsewhere, as in the engine. Linear in pattern times text whatever the pattern is, which a regular expression would not be.
 */
export function matchesLike(text: string, pattern: string, ignoreCase = false): boolean {
  const units = unitsOf(ignoreCase ? pattern.toLowerCase() : pattern);
  const chars = [...(ignoreCase ? text.toLowerCase() : text)];
  let at = 0;
  let unit = 0;
  let retryUnit = -1;
  let retryAt = 0;
  while (at < chars.length) {
    const wanted = units[unit];
    if (wanted === ANY_RUN) {
      retryUnit = unit++;
      retryAt = at;
    } else if (wanted === ANY_ONE || (wanted !== undefined && wanted === chars[at])) {
      unit++;
      at++;
    } else if (retryUnit >= 0) {
      unit = retryUnit + 1;
      at = ++retryAt;
    } else return false;
  }
  while (units[unit] === ANY_RUN) unit++;
  return unit === units.length;
}

const ANY_RUN = Symbol('%');
const ANY_ONE = Symbol('_');

function unitsOf(pattern: string): (string | typeof ANY_RUN | typeof ANY_ONE)[] {
  const chars = [...pattern];
  const units: (string | typeof ANY_RUN | typeof ANY_ONE)[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] as string;
    if (char === '%') units.push(ANY_RUN);
    else if (char === '_') units.push(ANY_ONE);
    else if (char === '\\' && /^[%_\\]$/.test(chars[at + 1] ?? '')) units.push(chars[++at] as string);
    else units.push(char);
  }
  return units;
}
