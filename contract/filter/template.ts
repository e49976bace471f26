import { formatFilterText } from './format.ts';
import { tokenize, type Token } from './lexer.ts';

/**
 * What a variable stands for: its values, or null for "All". No values, or only blank ones, mean the same as null.
 * Undefined when there is no such variable: the text stays and the parser complains about it.
 */
export type TemplateValues = readonly string[] | null | undefined;

/** `$name`, `${name}`, `${name:format}`, `[[name]]`: Grafana's spellings; a format is not needed here. */
const VARIABLE = /\$\{([A-Za-z_]\w*)(?:[:.][^}]*)?\}|\$([A-Za-z_]\w*)|\[\[([A-Za-z_]\w*)(?::\w+)?\]\]/g;
const MARK = /__template_(\d+)__/g;
/** More combinations of several variables in one word are not made. */
const MAX_VALUES = 10_000;

/**
 * Fills variables into a filter's text. As a value (`src_addr in ($host)`, `exporter = $exporter`) a variable becomes its
 * values, quoted where they need it; as a condition of its own (`proto = tcp and $filter`) it is a filter and comes in
 * brackets. A condition whose variable is All or blank does not restrict anything and is left out, so that one text
 * serves every choice of a dashboard.
 */
export function fillFilter(text: string, valuesOf: (variable: string) => TemplateValues): string {
  const variables: TemplateValues[] = [];
  const marked = text.replace(VARIABLE, (spelling, braced?: string, plain?: string, old?: string) => {
    const values = valuesOf((braced ?? plain ?? old) as string);
    if (values === undefined) return spelling;
    const chosen = values?.filter((value) => value.trim() !== '') ?? null;
    return `__template_${variables.push(chosen?.length === 0 ? null : chosen) - 1}__`;
  });
  if (variables.length === 0) return text;
  const { tokens, error } = tokenize(marked);
  // What cannot be read is left to the parser, whose error then shows the values.
  if (error) return marked.replace(MARK, (_, index: string) => (variables[Number(index)] ?? []).join(','));
  return createFiller(marked, tokens, variables)() ?? '';
}

/** Returns the text of what restricts; null when nothing does. */
function createFiller(
  text: string,
  tokens: readonly Token[],
  variables: readonly TemplateValues[],
): () => string | null {
  let at = 0;
  const peek = () => tokens[at] as Token;
  const sees = (word: string, symbol: string) =>
    (peek().kind === 'word' && peek().text.toLowerCase() === word) ||
    (peek().kind === 'operator' && peek().text === symbol);

  function either(): string | null {
    const parts = [both()];
    while (sees('or', '||')) {
      at++;
      parts.push(both());
    }
    // One side that lets everything pass makes the other pointless.
    return parts.includes(null) ? null : parts.join(' or ');
  }

  function both(): string | null {
    const parts = [unit()];
    while (sees('and', '&&')) {
      at++;
      parts.push(unit());
    }
    const restricting = parts.filter((part) => part !== null);
    return restricting.length === 0 ? null : restricting.join(' and ');
  }

  function unit(): string | null {
    if (sees('not', '!')) {
      at++;
      const item = unit();
      return item === null ? null : `not ${item}`;
    }
    if (peek().kind !== 'open') return condition();
    at++;
    const inner = either();
    if (peek().kind === 'close') at++;
    return inner === null ? null : `(${inner})`;
  }

  function condition(): string | null {
    const first = peek();
    const pieces: string[] = [];
    let depth = 0;
    let between = false;
    let restricts = true;
    while (peek().kind !== 'end') {
      const token = peek();
      if (depth === 0 && (token.kind === 'close' || sees('or', '||') || (sees('and', '&&') && !between))) break;
      if (depth === 0 && between && sees('and', '&&')) between = false;
      else if (sees('between', 'between')) between = true;
      if (token.kind === 'open') depth++;
      if (token.kind === 'close') depth--;
      const values = filled(token);
      if (values === null) restricts = false;
      else pieces.push(values === undefined ? source(token) : list(values, depth > 0));
      at++;
    }
    if (!restricts) return null;
    const alone = pieces.length === 1 && /^__template_\d+__$/.test(first.text);
    if (alone) return `(${(filled(first) as readonly string[]).join(') or (')})`;
    return pieces.join(' ').replace(/([([]) | (?=[)\],])/g, '$1');
  }

  /** The values of a token that holds variables; null when one of them is All; undefined for any other token. */
  function filled(token: Token): readonly string[] | null | undefined {
    if (token.kind !== 'word' && token.kind !== 'string') return undefined;
    const marks = [...token.text.matchAll(MARK)];
    if (marks.length === 0) return undefined;
    let texts: readonly string[] = [token.text];
    for (const [mark, index] of marks) {
      const values = variables[Number(index)] ?? null;
      if (values === null) return null;
      texts = texts.flatMap((made) => values.map((value) => made.replace(mark, () => value))).slice(0, MAX_VALUES);
    }
    return texts;
  }

  const source = ({ span }: Token) => text.slice(span.offset, span.offset + span.length);

  return () => {
    const whole = either();
    // Something that cannot stand there: kept, for the parser to name.
    const left = tokens.slice(at, -1).map(source).join(' ');
    return left === '' ? whole : `${whole ?? ''} ${left}`;
  };
}

function list(values: readonly string[], inList: boolean): string {
  const texts = values.map(formatFilterText);
  return texts.length === 1 || inList ? texts.join(', ') : `(${texts.join(', ')})`;
}
