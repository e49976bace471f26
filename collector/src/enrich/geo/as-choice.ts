import type { AsSource } from './config.ts';

/** AS_TRANS (RFC 6793 9): stands for a number that did not fit into 16 bits. */
const AS_TRANS = 23_456;

/** Chooses the AS number of one end of a record. */
export type AsChoice = (flow: number, ahead: number, behind: number) => number;

/**
 * @returns what chooses between what the flow says, and what the sources that are configured ahead of it and behind it
 *   know about the address; 0 = nothing
 */
export function createAsChoice(sources: readonly AsSource[]): AsChoice {
  const flow = sources.find((source) => source === 'flow' || source === 'flow_except_private');
  if (flow === undefined) return (_said, ahead) => ahead;
  if (flow === 'flow') return (said, ahead, behind) => ahead || said || behind;
  // A private number that nobody knows better stays what it was.
  return (said, ahead, behind) => ahead || (said !== 0 && !isPrivateAs(said) ? said : behind || said);
}

/** Numbers that mean nothing outside of a network (RFC 6996), that are reserved (RFC 7300), or AS_TRANS. */
function isPrivateAs(asn: number): boolean {
  return (asn >= 64_512 && asn <= 65_535) || asn >= 4_200_000_000 || asn === AS_TRANS;
}
