import { formatAddressBytes, parseAddress } from '@ringflow/contract';

/** A line of AggregateScore's data file. */
export interface AggregateHost {
  readonly address: string;
  readonly count: number;
  readonly inBytes: number;
  readonly inPackets: number;
  readonly inFlows: number;
  readonly outBytes: number;
  readonly outPackets: number;
  readonly outFlows: number;
}

/** Line 1 is the number of reports; then `ip count bytesin pktsin flowsin bytesout pktsout flowsout` (semantics 2.5). */
export function parseAggregate(text: string, name: string): { reports: number; hosts: AggregateHost[] } {
  const [first = '', ...lines] = text.split(/\r?\n/);
  if (!/^\s*\d{1,9}\s*$/.test(first))
    throw new RangeError(`${name}:1: "${first.slice(0, 40)}" is not the number of reports`);
  const hosts = lines.flatMap((line, index): AggregateHost[] => {
    if (line.trim() === '') return [];
    const [address = '', ...values] = line.trim().split(/\s+/);
    const bytes = parseAddress(address);
    const numbers = values.map(Number);
    if (!bytes || numbers.length !== 7 || numbers.some((value) => !Number.isSafeInteger(value) || value < 0))
      throw new RangeError(`${name}:${index + 2}: not "ip count bytesin pktsin flowsin bytesout pktsout flowsout"`);
    const [count, inBytes, inPackets, inFlows, outBytes, outPackets, outFlows] = numbers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return [{ address: formatAddressBytes(bytes), count, inBytes, inPackets, inFlows, outBytes, outPackets, outFlows }];
  });
  return { reports: Number(first), hosts };
}
