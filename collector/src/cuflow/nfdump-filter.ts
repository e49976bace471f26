import { formatProtocol, parseAddress, parsePrefix, parseProtocol } from '@ringflow/contract';

/** A filter of nfdump that cannot be said in our language; the message names the words. */
export class NfdumpFilterError extends Error {
  override readonly name = 'NfdumpFilterError';
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '=': '=',
  '==': '=',
  eq: '=',
  '>': '>',
  gt: '>',
  '<': '<',
  lt: '<',
  '>=': '>=',
  ge: '>=',
  '<=': '<=',
  le: '<=',
};
const FLAGS: Readonly<Record<string, string>> = {
  U: 'urg',
  A: 'ack',
  P: 'psh',
  R: 'rst',
  S: 'syn',
  F: 'fin',
  E: 'ece',
  C: 'cwr',
};
/** Scaling factors of nfdump's numbers (nfdump(1)). */
const SCALE: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Fields that a number is compared with, by nfdump's word. */
const COUNTERS: Readonly<Record<string, string>> = {
  packets: 'packets',
  bytes: 'bytes',
  flows: 'flows',
  pps: 'pps',
  bps: 'bps',
  bpp: 'bpp',
  tos: 'ip_tos',
  'icmp-type': 'icmp_type',
  'icmp-code': 'icmp_code',
};
/** Fields of either side. */
const SIDED: Readonly<Record<string, 'address' | 'net' | 'number'>> = {
  ip: 'address',
  host: 'address',
  net: 'net',
  port: 'number',
  as: 'number',
  vlan: 'number',
};

/**
 * A filter of nfdump (nfdump(1), "FILTER") in our language.
 *
 * @throws NfdumpFilterError for what has no counterpart, such as `ident`, `mpls` or a mask
 */
export function convertNfdumpFilter(text: string): string {
  const tokens = text.replace(/#.*$/gm, ' ').match(/\[|\]|\(|\)|,|[<>=]=?|[^\s()[\],<>=]+/g);
  if (!tokens) return '';
  let at = 0;
  const peek = (): string => (tokens[at] ?? '').toLowerCase();
  const take = (): string => tokens[at++] ?? '';
  const fail = (what: string): never => {
    throw new NfdumpFilterError(what);
  };

  function either(): string {
    const parts = [both()];
    while (peek() === 'or' || peek() === '||') {
      take();
      parts.push(both());
    }
    return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' or ')})`;
  }

  function both(): string {
    const parts = [one()];
    while (peek() === 'and' || peek() === '&&') {
      take();
      parts.push(one());
    }
    return parts.join(' and ');
  }

  function one(): string {
    const word = peek();
    if (word === 'not' || word === '!') {
      take();
      return `not (${one()})`;
    }
    if (word === '(') {
      take();
      const inner = either();
      if (take() !== ')') fail('a ( without )');
      return `(${inner})`;
    }
    return condition();
  }

  function condition(): string {
    const word = take().toLowerCase();
    if (word === '') fail('a condition is missing at the end');
    if (word === 'any') return 'bytes >= 0';
    if (word === 'inet' || word === 'ipv4') return 'etype = IPv4';
    if (word === 'inet6' || word === 'ipv6') return 'etype = IPv6';
    if (word === 'proto') {
      const name = take();
      const proto = parseProtocol(name);
      return proto === null ? fail(`the protocol ${name}`) : `proto = ${proto}`;
    }
    if (word === 'flags') return flags(take());
    if (word === 'duration') return `duration ${comparison()} ${number(take())}ms`;
    if (word === 'src' || word === 'dst') return sided(word);
    if (word === 'in' || word === 'out') {
      if (peek() !== 'if') fail(`${word} ${peek()}`);
      take();
      return `${word}_if ${value('number')}`;
    }
    if (word === 'if') {
      const rest = value('number');
      return `(in_if ${rest} or out_if ${rest})`;
    }
    if (word === 'router') {
      if (take().toLowerCase() !== 'ip') fail('router without ip');
      return `sampler_address ${value('address')}`;
    }
    if (word === 'next') {
      if (take().toLowerCase() !== 'ip') fail('next without ip');
      return `next_hop ${value('address')}`;
    }
    const counter = Object.hasOwn(COUNTERS, word) ? COUNTERS[word] : undefined;
    if (counter !== undefined) return `${counter} ${value('number')}`;
    if (Object.hasOwn(SIDED, word)) return sidedField('', word);
    // A protocol alone (`tcp`), as tcpdump takes it.
    const proto = /^\d/.test(word) ? null : parseProtocol(word);
    return proto === null ? fail(word) : `proto = ${formatProtocol(proto).toLowerCase()}`;
  }

  /** After `src` or `dst`: `src port 80`, `src or dst net …`. */
  function sided(first: string): string {
    const link = peek();
    if (link !== 'or' && link !== 'and') return sidedField(`${first}_`, take().toLowerCase());
    take();
    const second = take().toLowerCase();
    if (second !== 'src' && second !== 'dst') fail(`${first} ${link} ${second}`);
    const mark = at + 1;
    const field = take().toLowerCase();
    const left = sidedField(`${first}_`, field);
    at = mark;
    return `(${left} ${link} ${sidedField(`${second}_`, field)})`;
  }

  function sidedField(side: string, word: string): string {
    const kind = Object.hasOwn(SIDED, word) ? SIDED[word] : undefined;
    if (kind === undefined) return fail(`${side.replace('_', ' ')}${word}`);
    const name = kind === 'number' ? word : 'addr';
    if (name === 'vlan' && side === '') return `vlan_id ${value(kind)}`;
    return `${side}${name} ${value(kind)}`;
  }

  function comparison(): string {
    return Object.hasOwn(COMPARISONS, peek()) ? (COMPARISONS[take().toLowerCase()] as string) : '=';
  }

  /** `= 80`, `> 1024`, `in (1, 2)`, `in 10.0.0.0/8`. */
  function value(kind: 'address' | 'net' | 'number'): string {
    if (peek() === 'in') {
      take();
      if (take() !== '[') fail('in without [');
      const items: string[] = [];
      while (peek() !== ']') {
        if (at >= tokens!.length) fail('a [ without ]');
        const item = take();
        if (item !== ',') items.push(kind === 'number' ? number(item) : address(item));
      }
      take();
      return `in (${items.join(', ')})`;
    }
    if (kind === 'number') {
      const sign = comparison();
      return `${sign} ${number(take())}`;
    }
    const first = take();
    // The old form: `net 10.0.0.0 255.0.0.0` is not taken, `net 10.0/8` is.
    return kind === 'net' || first.includes('/') ? `in ${address(first)}` : `= ${address(first)}`;
  }

  function number(item: string): string {
    const [, digits, unit = ''] = /^(\d+)([kmgt]?)$/i.exec(item) ?? [];
    return digits === undefined
      ? fail(`the number ${item}`)
      : String(Number(digits) * (SCALE[unit.toLowerCase()] as number));
  }

  function address(item: string): string {
    const [, short, bits] = /^(\d+(?:\.\d+){0,2})\/(\d+)$/.exec(item) ?? [];
    const full = short === undefined ? item : `${short}${'.0'.repeat(4 - short.split('.').length)}/${bits}`;
    return parseAddress(full) || parsePrefix(full) ? full : fail(`the address ${item}`);
  }

  function flags(letters: string): string {
    const names = [...letters.toUpperCase()].map((letter) => FLAGS[letter] ?? fail(`the flag ${letter}`));
    return names.map((name) => `tcp_flags has ${name}`).join(' and ');
  }

  const filter = either();
  if (at < tokens.length) fail(tokens.slice(at).join(' '));
  return filter;
}
