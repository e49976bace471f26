import type { Regex, RegexNode } from '@ringflow/contract';

/**
 * Matches names outside the engine. A regular expression of the user's runs here in time proportional to pattern times
 * text, whatever it is; JavaScript's own would let `(a+)+$` stop the process.
 */
export function createRegexMatcher({ node, ignoreCase }: Regex): (text: string) => boolean {
  const program: Instruction[] = [];
  compile(node, program);
  const end = program.length;
  return (text) => run(program, end, [...text], ignoreCase);
}

/** One step of the automaton; the next one follows, unless it says otherwise. */
type Instruction =
  | { readonly kind: 'char'; readonly node: Extract<RegexNode, { kind: 'class' }> }
  | { readonly kind: 'assert'; readonly what: Extract<RegexNode, { kind: 'assert' }>['what'] }
  | { readonly kind: 'split'; readonly other: number }
  | { readonly kind: 'jump'; readonly to: number };

function compile(node: RegexNode, program: Instruction[]): void {
  switch (node.kind) {
    case 'class':
      program.push({ kind: 'char', node });
      break;
    case 'assert':
      program.push({ kind: 'assert', what: node.what });
      break;
    case 'sequence':
      for (const item of node.items) compile(item, program);
      break;
    case 'either': {
      const jumps: number[] = [];
      node.items.forEach((item, index) => {
        const split = program.length;
        const last = index === node.items.length - 1;
        if (!last) program.push({ kind: 'jump', to: 0 });
        compile(item, program);
        if (last) return;
        jumps.push(program.length);
        program.push({ kind: 'jump', to: 0 });
        program[split] = { kind: 'split', other: program.length };
      });
      for (const jump of jumps) program[jump] = { kind: 'jump', to: program.length };
      break;
    }
    case 'repeat': {
      for (let copy = 0; copy < node.min; copy++) compile(node.item, program);
      if (node.max === Infinity) {
        const split = program.length;
        program.push({ kind: 'jump', to: 0 });
        compile(node.item, program);
        program.push({ kind: 'jump', to: split });
        program[split] = { kind: 'split', other: program.length };
        break;
      }
      const splits: number[] = [];
      for (let copy = node.min; copy < node.max; copy++) {
        splits.push(program.length);
        program.push({ kind: 'jump', to: 0 });
        compile(node.item, program);
      }
      for (const split of splits) program[split] = { kind: 'split', other: program.length };
    }
  }
}

/** All states at once (Thompson); a match may begin anywhere. */
function run(program: readonly Instruction[], end: number, chars: readonly string[], ignoreCase: boolean): boolean {
  let current: number[] = [];
  const seen = new Int32Array(program.length + 1).fill(-1);
  const stack: number[] = [];
  /** Adds a state and those that it leads to without a character. True when the end is among them. */
  const follow = (states: number[], from: number, at: number): boolean => {
    stack.push(from);
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      if (state === end) return true;
      if (seen[state] === at) continue;
      seen[state] = at;
      const instruction = program[state] as Instruction;
      if (instruction.kind === 'char') states.push(state);
      else if (instruction.kind === 'jump') stack.push(instruction.to);
      else if (instruction.kind === 'split') stack.push(instruction.other, state + 1);
      else if (holds(instruction.what, chars, at)) stack.push(state + 1);
    }
    return false;
  };
  if (follow(current, 0, 0)) return true;
  for (let at = 0; at < chars.length; at++) {
    const code = (chars[at] as string).codePointAt(0) as number;
    const next: number[] = [];
    for (const state of current) {
      const instruction = program[state] as Extract<Instruction, { kind: 'char' }>;
      if (fits(instruction.node, code, ignoreCase) && follow(next, state + 1, at + 1)) return true;
    }
    if (follow(next, 0, at + 1)) return true;
    current = next;
  }
  return false;
}

function fits({ ranges, negated }: Extract<RegexNode, { kind: 'class' }>, code: number, ignoreCase: boolean): boolean {
  const inside = (wanted: number) => ranges.some(([from, to]) => wanted >= from && wanted <= to);
  if (!ignoreCase) return inside(code) !== negated;
  const text = String.fromCodePoint(code);
  const [lower, upper] = [text.toLowerCase(), text.toUpperCase()];
  const found = inside(code) || inside(lower.codePointAt(0) as number) || inside(upper.codePointAt(0) as number);
  return found !== negated;
}

function holds(what: Extract<RegexNode, { kind: 'assert' }>['what'], chars: readonly string[], at: number): boolean {
  if (what === 'start') return at === 0;
  if (what === 'end') return at === chars.length;
  const border = isWord(chars[at - 1]) !== isWord(chars[at]);
  return border === (what === 'word');
}

/** RE2's word characters are ASCII. */
function isWord(char: string | undefined): boolean {
  return char !== undefined && /^[0-9A-Za-z_]$/.test(char);
}

/**
 * A regular expression as the engine takes it. Looking for a text that every match must contain, it takes a repetition
 * after a character of several bytes for one of its last byte (`üü*` does not find `ü`); a class of one it leaves alone.
 */
export function engineRegex(pattern: string): string {
  const chars = [...pattern];
  let inClass = false;
  let text = '';
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] as string;
    if (char === '\\') text += char + (chars[++at] ?? '');
    else if (!inClass && char > '\x7f' && /^[*+?{]$/.test(chars[at + 1] ?? '')) text += `[${char}]`;
    else {
      if (char === '[') inClass = true;
      if (char === ']') inClass = false;
      text += char;
    }
  }
  return text;
}
