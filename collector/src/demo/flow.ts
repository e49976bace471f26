/** One flow as an exporter saw it; what the encoders put on the wire and what tests compare the answers with. */
export interface DemoFlow {
  /** Four or sixteen bytes; both addresses are of one family. */
  readonly src: Uint8Array;
  readonly dst: Uint8Array;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly proto: number;
  readonly tcpFlags: number;
  readonly tos: number;
  /** As counted, that is after sampling. */
  readonly bytes: number;
  readonly packets: number;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly inIf: number;
  readonly outIf: number;
  readonly srcAs: number;
  readonly dstAs: number;
  readonly srcMask: number;
  readonly dstMask: number;
  readonly vlan: number;
  readonly icmpType?: number | undefined;
  readonly icmpCode?: number | undefined;
}

export interface DemoInterface {
  /** ifIndex. */
  readonly index: number;
  readonly name: string;
  readonly description: string;
  readonly speedBps: number;
}

/** Four or sixteen bytes of an address text; the demo needs no other forms than dotted IPv4 and full or `::` IPv6. */
export function addressOf(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number);
  const [head = '', tail = ''] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const front = groups(head);
  const back = text.includes('::') ? groups(tail) : [];
  const all = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]));
}
