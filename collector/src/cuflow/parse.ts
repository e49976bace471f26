import { formatPrefix, parseAddress, parsePrefix, parseProtocol, servicePorts } from '@ringflow/contract';
import type { NumberRange, Placed, PortRange, Statement } from './statements.ts';

/** Something about a line. */
export interface Remark {
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

export interface ParsedCuflow {
  readonly statements: readonly Placed[];
  /** What CUFlow.pm dies of, in its words; all of them, while it stops at the first. */
  readonly errors: readonly Remark[];
  /** What CUFlow.pm 1.55 would refuse or understand otherwise, and is taken here. */
  readonly warnings: readonly Remark[];
}

/** A line that cannot be used. */
class Refusal extends Error {}

interface Scope {
  readonly line: number;
  readonly warn: (message: string) => void;
  readonly seen: Set<string>;
}

/** What stands after a keyword, or null when the line has not the form of the keyword. */
type Reader = (rest: string, scope: Scope) => Statement | null;

const READERS: Readonly<Record<string, Reader>> = {
  Subnet: readSubnet,
  Network: readNetwork,
  Router: readRouter,
  SampleRate: readSampleRate,
  Service: readService,
  ASNumber: readAsNumber,
  AS: (rest, scope) => {
    scope.warn('"AS" is read as ASNumber');
    return readAsNumber(rest, scope);
  },
  Protocol: readProtocol,
  TOS: readTos,
  Multicast: (rest) => (rest === '' ? { kind: 'multicast' } : null),
  OutputDir: (rest) => {
    const [path] = words(rest, 1, 1) ?? [];
    return path === undefined ? null : { kind: 'outputdir', path };
  },
  Scoreboard: (rest) => {
    const [rows, directory, current] = words(rest, 3, 3) ?? [];
    return isNumber(rows) ? { kind: 'scoreboard', rows: Number(rows), directory: directory!, current: current! } : null;
  },
  AggregateScore: (rest) => {
    const [rows, file, output] = words(rest, 3, 3) ?? [];
    return isNumber(rows) ? { kind: 'aggregate', rows: Number(rows), file: file!, output: output! } : null;
  },
};

/**
 * Reads CUFlow.cf (grammar: CUFlow.pm 1.55 `parseConfig`): keywords in their case, one statement a line, `#` begins a
 * comment anywhere, any other line is an error.
 *
 * @param name of the file, for messages
 */
export function parseCuflow(text: string, name = 'CUFlow.cf'): ParsedCuflow {
  const statements: Placed[] = [];
  const errors: Remark[] = [];
  const warnings: Remark[] = [];
  const seen = new Set<string>();
  for (const { line, content, joined } of linesOf(text)) {
    const warn = (message: string): void => void warnings.push({ line, message });
    if (joined) warn('Lines that end in \\ are joined with the next one');
    const [, keyword = '', rest = ''] = /^\s*(\S+)\s*(.*?)\s*$/.exec(content) ?? [];
    try {
      if (keyword === 'Subnet' && !/^\s*Subnet \S/.test(content)) warn('More than one blank after Subnet');
      const reader = Object.hasOwn(READERS, keyword) ? READERS[keyword] : undefined;
      const statement = reader?.(rest, { line, warn, seen }) ?? null;
      if (statement === null) throw new Refusal(`Invalid line ${line} in ${name}: ${content.trim()}`);
      statements.push({ ...statement, line });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      errors.push({ line, message: error.message });
    }
  }
  return { statements, errors, warnings };
}

/** Lines with something on them, without comments; a `\` at the end joins the next. */
function linesOf(text: string): { line: number; content: string; joined: boolean }[] {
  const lines: { line: number; content: string; joined: boolean }[] = [];
  let open: { line: number; content: string; joined: boolean } | null = null;
  text.split(/\r?\n/).forEach((raw, index) => {
    const bare = raw.replace(/#.*$/, '');
    const continues = /\\\s*$/.test(bare);
    const content = continues ? bare.replace(/\\\s*$/, ' ') : bare;
    if (open) open.content += content;
    else open = { line: index + 1, content, joined: continues };
    if (continues) return;
    if (open.content.trim() !== '') lines.push(open);
    open = null;
  });
  const last = open as { line: number; content: string; joined: boolean } | null;
  return last && last.content.trim() !== '' ? [...lines, last] : lines;
}

function words(rest: string, least: number, most: number): string[] | null {
  const found = rest === '' ? [] : rest.split(/\s+/);
  return found.length >= least && found.length <= most ? found : null;
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,10}$/.test(text);
}

/** A prefix as CUFlow's trie takes it, or as people write it. */
function prefixOf(text: string, { line, warn }: Scope): string {
  const short = /^(\d+(?:\.\d+){0,2})\/(\d+)$/.exec(text);
  const full = short ? `${short[1]}${'.0'.repeat(4 - (short[1] as string).split('.').length)}/${short[2]}` : text;
  const prefix = parsePrefix(full);
  if (!prefix) throw new Refusal(`Bad network ${text} on line ${line}`);
  const written = formatPrefix(prefix);
  if (short) warn(`${text} is read as ${written}`);
  else if (text.includes(':')) warn(`${text} is IPv6, which CUFlow does not know`);
  else if (text.includes('/') && written !== text) warn(`${text} has bits behind its length: read as ${written}`);
  return written;
}

function labelOf(label: string, { warn }: Scope): string {
  if (label.includes('-')) warn(`The label ${label} has a "-", which not every CUFlow takes`);
  return label;
}

function readSubnet(rest: string, scope: Scope): Statement | null {
  const [prefix, ...more] = words(rest, 1, 100) ?? [];
  if (prefix === undefined || !prefix.includes('/')) return null;
  dropPorts(more, scope);
  return { kind: 'subnet', prefix: prefixOf(prefix, scope) };
}

/** Some sites patched lists of ports into Subnet and Router. */
function dropPorts(more: readonly string[], { warn, line }: Scope): void {
  if (more.length === 0) return;
  if (
    !more
      .join('')
      .split(',')
      .every((item) => /^[\w-]+\/\w+$/.test(item))
  )
    throw new Refusal(`Invalid line ${line}: ${more.join(' ')} is left over`);
  warn('Ports after Subnet or Router are a change of this site and are left out: services are found by Service');
}

function readNetwork(rest: string, scope: Scope): Statement | null {
  const [list, label] = words(rest, 2, 2) ?? [];
  if (list === undefined || label === undefined) return null;
  const key = `Network ${label}`;
  if (scope.seen.has(key)) scope.warn(`Network ${label} was there before: this one replaces it, as in CUFlow`);
  scope.seen.add(key);
  return {
    kind: 'network',
    prefixes: list.split(',').map((item) => prefixOf(item, scope)),
    label: labelOf(label, scope),
  };
}

function readRouter(rest: string, scope: Scope): Statement | null {
  const [address, alias, ...more] = words(rest, 1, 100) ?? [];
  if (address === undefined || !parseAddress(address)) return null;
  if (address.includes(':')) scope.warn(`${address} is IPv6, which CUFlow does not know`);
  dropPorts(more, scope);
  return { kind: 'router', address, alias: labelOf(alias ?? address, scope) };
}

function readSampleRate(rest: string): Statement | null {
  const [address, rate] = words(rest, 2, 2) ?? [];
  if (address === undefined || !parseAddress(address) || !isNumber(rate)) return null;
  return { kind: 'samplerate', address, rate: Number(rate) };
}

/** Duplicate labels of these two are fatal in CUFlow, others overwrite. */
function once(what: string, label: string, { seen, line }: Scope): void {
  const key = `${what} ${label}`;
  if (seen.has(key)) throw new Refusal(`${what} ${label} is already defined on line ${line}`);
  seen.add(key);
}

function readService(rest: string, scope: Scope): Statement | null {
  const [list, label] = words(rest, 2, 2) ?? [];
  if (list === undefined || label === undefined) return null;
  const ports = list.split(',').flatMap((item): PortRange[] => {
    const [, port, protocol] = /^([^\s/]+)\/([^\s/]+)$/.exec(item) ?? [];
    if (port === undefined || protocol === undefined)
      throw new Refusal(`Bad Service item ${item} on line ${scope.line}`);
    const proto = protocolOf(protocol, scope);
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(port) ?? [];
    if (first !== undefined) {
      const [from, to] = rangeOf(first, last, scope);
      if (to > 65_535) throw new Refusal(`Bad Service item ${item} on line ${scope.line}`);
      return [{ proto, from, to }];
    }
    const named = servicePorts(port.toLowerCase()).find(([of]) => of === proto);
    if (!named) throw new Refusal(`Unknown service ${port} on line ${scope.line}`);
    return [{ proto, from: named[1], to: named[1] }];
  });
  once('Service', label, scope);
  return { kind: 'service', ports, label: labelOf(label, scope) };
}

function protocolOf(text: string, { line }: Scope): number {
  const proto = parseProtocol(text);
  if (proto === null) throw new Refusal(`Unknown protocol ${text} on line ${line}`);
  return proto;
}

function rangeOf(first: string, last: string | undefined, { line }: Scope): NumberRange {
  const from = Number(first);
  const to = Number(last ?? first);
  if (to < from) throw new Refusal(`Bad range ${from} - ${to} on line ${line}`);
  return [from, to];
}

function readAsNumber(rest: string, scope: Scope): Statement | null {
  const [list, label] = words(rest, 2, 2) ?? [];
  if (list === undefined || label === undefined) return null;
  const ranges = list.split(',').map((item): NumberRange => {
    const [, first, last] = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(item) ?? [];
    if (first === undefined) throw new Refusal(`Bad AS number ${item} on line ${scope.line}`);
    const range = rangeOf(first, last, scope);
    if (range[1] > 4_294_967_295) throw new Refusal(`Bad AS number ${item} on line ${scope.line}`);
    if (last !== undefined) scope.warn(`${item} is a range of AS numbers, which CUFlow 1.55 does not know`);
    return range;
  });
  once('ASNumber', label, scope);
  return { kind: 'asnumber', ranges, label: labelOf(label, scope) };
}

function readProtocol(rest: string, scope: Scope): Statement | null {
  const [text, alias] = words(rest, 1, 2) ?? [];
  if (text === undefined) return null;
  return { kind: 'protocol', proto: protocolOf(text, scope), alias: labelOf(alias ?? text, scope) };
}

function readTos(rest: string, scope: Scope): Statement | null {
  const [list, label] = words(rest, 2, 2) ?? [];
  if (list === undefined || label === undefined) return null;
  const ranges = list.split(',').map((item): NumberRange => {
    const [, first, last] = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(item) ?? [];
    if (first === undefined) throw new Refusal(`Bad TOS item ${item} on line ${scope.line}`);
    const range = rangeOf(first, last, scope);
    const bad = range.find((value) => value > 255);
    if (bad !== undefined) throw new Refusal(`Bad TOS value ${bad} on line ${scope.line}`);
    return range;
  });
  const key = `TOS ${label}`;
  if (scope.seen.has(key)) scope.warn(`TOS ${label} was there before: this one replaces it, as in CUFlow`);
  scope.seen.add(key);
  return { kind: 'tos', ranges, label: labelOf(label, scope) };
}
