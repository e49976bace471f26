/**
 * Follows the sequence numbers of one session (address, port, domain: Q02). What a number counts is the decoder's
 * business: it says by how many units the next one will be larger (Q01).
 *
 * A gap counts as lost once it is two seconds old; until then late datagrams fill it (Q03). So the counters only grow.
 */
export interface Sequence {
  started: boolean;
  /** The next number, if nothing is lost. */
  expected: number;
  /** False after a datagram with an unknown number of units (Q05): the next one only resynchronises. */
  trusted: boolean;
  lastMs: number;
  /** Units missing for good. */
  lost: number;
  /** Datagrams that came after a later one. */
  reordered: number;
  /** Datagrams that came again. */
  duplicated: number;
  /** Jumps backwards that are no reordering: the exporter began anew. */
  resets: number;
  /** The numbers of this exporter mean something else (Q04); nothing counts as lost meanwhile. */
  unusable: boolean;
  /** Datagrams compared with their expectation, and those that differed; both are halved now and then. */
  compared: number;
  mismatched: number;
  /** Datagrams in a row that were behind without filling a gap or being a repetition. */
  behind: number;
  /**
   * Open gaps, the oldest first: first number, length, units still missing, when it was seen ({@link GAP} numbers each).
   * Numbers and not objects, since whoever makes up sequence numbers makes gaps (X02).
   */
  readonly gaps: number[];
  /** The last numbers seen, a ring; it grows with use, because a flood makes sequences of a single number (X02). */
  readonly seen: number[];
  seenCount: number;
}

const GAP = 4;
/** How far behind a datagram may be and still be late rather than a sign of a restart (Q03). */
const REORDER_UNITS = 1000;
const REORDER_MS = 2000;
/** Gaps that may be open at a time; more count as lost sooner. */
const MAX_GAPS = 16;
const SEEN = 64;
/** Datagrams that must be compared before numbers are called unusable, and after which older ones weigh half. */
const COMPARED_MIN = 8;
const COMPARED_MAX = 64;

export function createSequence(): Sequence {
  return {
    started: false,
    expected: 0,
    trusted: false,
    lastMs: 0,
    lost: 0,
    reordered: 0,
    duplicated: 0,
    resets: 0,
    unusable: false,
    compared: 0,
    mismatched: 0,
    behind: 0,
    gaps: [],
    seen: [],
    seenCount: 0,
  };
}

/**
 * Takes the number of a datagram.
 *
 * @param units by how much the next number will be larger, -1 when it cannot be known
 * @param restarted the decoder knows that the exporter restarted (T14)
 */
export function followSequence(
  sequence: Sequence,
  number: number,
  units: number,
  nowMs: number,
  restarted: boolean,
): void {
  settleSequence(sequence, nowMs);
  if (!sequence.started || restarted) {
    if (sequence.started) sequence.resets++;
    sequence.started = true;
    forgetPast(sequence);
    advance(sequence, number, units, nowMs);
    return;
  }
  if (!sequence.trusted) {
    advance(sequence, number, units, nowMs);
    return;
  }
  const difference = (number - sequence.expected) | 0;
  if (difference === 0) {
    compare(sequence, false);
    sequence.behind = 0;
    advance(sequence, number, units, nowMs);
  } else if (difference > 0) {
    compare(sequence, true);
    sequence.behind = 0;
    if (sequence.gaps.length === MAX_GAPS * GAP) giveUpOldest(sequence);
    sequence.gaps.push(sequence.expected, difference, difference, nowMs);
    advance(sequence, number, units, nowMs);
  } else {
    followBackwards(sequence, number, -difference, units, nowMs);
  }
}

function followBackwards(sequence: Sequence, number: number, distance: number, units: number, nowMs: number): void {
  if (wasSeen(sequence, number)) {
    sequence.duplicated++;
    compare(sequence, true);
    sequence.lastMs = nowMs;
    return;
  }
  const { gaps } = sequence;
  let at = 0;
  while (at < gaps.length && (number - (gaps[at] as number)) >>> 0 >= (gaps[at + 1] as number)) at += GAP;
  if (at < gaps.length) {
    // Late: the gap itself was already compared.
    sequence.reordered++;
    gaps[at + 2] = Math.max(0, (gaps[at + 2] as number) - Math.max(0, units));
    remember(sequence, number);
    sequence.lastMs = nowMs;
    return;
  }
  compare(sequence, true);
  sequence.behind++;
  const late = distance <= REORDER_UNITS && nowMs - sequence.lastMs <= REORDER_MS;
  if (late && sequence.behind === 1) {
    sequence.reordered++;
    remember(sequence, number);
    sequence.lastMs = nowMs;
    return;
  }
  sequence.resets++;
  forgetPast(sequence);
  advance(sequence, number, units, nowMs);
}

/** Counts gaps as lost that nobody will fill any more. Also call it before the counters are read. */
export function settleSequence(sequence: Sequence, nowMs: number): void {
  const { gaps } = sequence;
  while (gaps.length > 0 && nowMs - (gaps[3] as number) > REORDER_MS) giveUpOldest(sequence);
}

function giveUpOldest(sequence: Sequence): void {
  const { gaps } = sequence;
  if (!sequence.unusable) sequence.lost += gaps[2] as number;
  gaps.copyWithin(0, GAP);
  gaps.length -= GAP;
}

function advance(sequence: Sequence, number: number, units: number, nowMs: number): void {
  sequence.trusted = units >= 0;
  sequence.expected = (number + Math.max(0, units)) >>> 0;
  sequence.lastMs = nowMs;
  remember(sequence, number);
}

function remember(sequence: Sequence, number: number): void {
  sequence.seen[sequence.seenCount++ % SEEN] = number;
}

function wasSeen(sequence: Sequence, number: number): boolean {
  const end = Math.min(sequence.seenCount, SEEN);
  for (let i = 0; i < end; i++) if (sequence.seen[i] === number) return true;
  return false;
}

/** What was missing before a restart stays missing; what was seen says nothing about the new numbers. */
function forgetPast(sequence: Sequence): void {
  while (sequence.gaps.length > 0) giveUpOldest(sequence);
  sequence.seenCount = 0;
  sequence.behind = 0;
}

function compare(sequence: Sequence, mismatch: boolean): void {
  sequence.compared++;
  if (mismatch) sequence.mismatched++;
  if (sequence.compared < COMPARED_MIN) return;
  sequence.unusable = sequence.mismatched * 2 > sequence.compared;
  if (sequence.compared >= COMPARED_MAX) {
    sequence.compared >>= 1;
    sequence.mismatched >>= 1;
  }
}
