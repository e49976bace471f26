import { execFileSync } from 'node:child_process';

/** What is known about the packet filter of this machine. */
export interface Firewall {
  /**
   * `none`: no tool of a packet filter here; `unreadable`: there is one, but its rules cannot be read (mostly: not
   * root); `open`: what comes in is accepted unless a rule says otherwise; `closed`: it is dropped unless a rule says
   * otherwise.
   */
  readonly state: 'none' | 'unreadable' | 'open' | 'closed';
  /** The tool that was asked. */
  readonly tool: string | null;
  /** UDP ports that some rule accepts, with ranges written out as pairs. */
  readonly accepted: readonly (readonly [number, number])[];
  /** UDP ports that some rule drops or rejects. */
  readonly dropped: readonly (readonly [number, number])[];
}

const TOOLS: readonly (readonly [string, readonly string[], (text: string) => Omit<Firewall, 'tool'>])[] = [
  ['nft', ['list', 'ruleset'], parseNft],
  ['iptables-save', [], parseIptables],
];
const TIMEOUT_MS = 3000;
/** Where root's programs are, for those who have them not in their PATH. */
const SBIN = ':/usr/sbin:/sbin';

/** Asks nft, then iptables. Hints, not proofs: a rule may depend on much more than the port. */
export function readFirewall(path: string): Firewall {
  let unreadable: string | null = null;
  let open: Firewall | null = null;
  for (const [tool, args, parse] of TOOLS) {
    try {
      const text = execFileSync(tool, args, {
        env: { PATH: path + SBIN },
        timeout: TIMEOUT_MS,
        stdio: ['ignore', 'pipe', 'ignore'],
        encoding: 'utf8',
        maxBuffer: 16 * 1024 * 1024,
      });
      const found = { tool, ...parse(text) };
      if (found.state === 'closed' || found.dropped.length > 0) return found;
      open ??= found;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') unreadable ??= tool;
    }
  }
  if (open) return open;
  return { state: unreadable ? 'unreadable' : 'none', tool: unreadable, accepted: [], dropped: [] };
}

/** `nft list ruleset`: base chains of the hook `input` with their policy, and rules on `udp dport`. */
export function parseNft(text: string): Omit<Firewall, 'tool'> {
  const closed = /hook input[^;]*;\s*policy drop/.test(text) || endsInDrop(text);
  const accepted: [number, number][] = [];
  const dropped: [number, number][] = [];
  for (const line of text.split('\n')) {
    const ports = /\b(?:udp|th) dport (?:\{([^}]*)\}|([0-9][0-9-]*))/.exec(line);
    if (!ports) continue;
    const ranges = rangesOf((ports[1] ?? ports[2]) as string, '-');
    if (/\baccept\b/.test(line)) accepted.push(...ranges);
    else if (/\b(drop|reject)\b/.test(line)) dropped.push(...ranges);
  }
  return { state: closed ? 'closed' : 'open', accepted, dropped };
}

/** A chain of the hook `input` whose last rule, without any condition, drops or rejects the rest. */
function endsInDrop(text: string): boolean {
  return [...text.matchAll(/hook input[^}]*/g)].some(([chain]) =>
    /^(counter packets \d+ bytes \d+ )?(drop|reject)\b/.test((chain.trim().split('\n').at(-1) ?? '').trim()),
  );
}

/** `iptables-save`: the policy of INPUT, and rules with `-p udp --dport`. */
export function parseIptables(text: string): Omit<Firewall, 'tool'> {
  const filter = /\*filter\n([\s\S]*?)\nCOMMIT/.exec(text)?.[1] ?? '';
  const closed = /^:INPUT (DROP|REJECT)/m.test(filter) || /^-A INPUT( -j (DROP|REJECT).*)$/m.test(filter);
  const accepted: [number, number][] = [];
  const dropped: [number, number][] = [];
  for (const line of filter.split('\n')) {
    const ports = /-p udp\b.*--dports? ([0-9:,]+)/.exec(line)?.[1];
    if (!ports) continue;
    if (/-j ACCEPT/.test(line)) accepted.push(...rangesOf(ports, ':'));
    else if (/-j (DROP|REJECT)/.test(line)) dropped.push(...rangesOf(ports, ':'));
  }
  return { state: closed ? 'closed' : 'open', accepted, dropped };
}

function rangesOf(text: string, dash: string): [number, number][] {
  return text.split(',').flatMap((part): [number, number][] => {
    const [from, to = from] = part.trim().split(dash);
    return /^[0-9]+$/.test(from ?? '') && /^[0-9]+$/.test(to ?? '') ? [[Number(from), Number(to)]] : [];
  });
}

/** True when one of the ranges holds the port. */
export function holdsPort(ranges: readonly (readonly [number, number])[], port: number): boolean {
  return ranges.some(([from, to]) => port >= from && port <= to);
}
