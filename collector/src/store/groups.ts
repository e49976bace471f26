import { segmentId, type Segment } from '../spool/index.ts';

/** Segments of one writer that go into the store together, and are known by one token. */
export interface SegmentGroup {
  readonly inlet: string;
  readonly boot: number;
  /** Sequence numbers of the first and the last; those between belong to it. */
  readonly first: number;
  readonly last: number;
}

/**
 * Rows that go together at most: five of the largest segments, which hold some rows more than 262,144, and come within
 * `store.load_seconds` where one is sealed each second. The more, the less the rings cost: what is written to them grows with
 * the minutes and keys, not with the rows.
 */
export const GROUP_ROWS = 1_400_000;

/**
 * Rows of one insert into the raw table: as many as the largest segment has, so that none takes more memory than that. Tokens
 * stand for what it cuts: a group that was announced under another number would be doubled.
 */
export const INSERT_ROWS = 262_144;

/** Those of a group that go into the raw table together; the same whenever it is loaded again. */
export function portionsOf(group: readonly Segment[]): Segment[][] {
  const portions: Segment[][] = [];
  let rows = Infinity;
  for (const segment of group) {
    rows += segment.rows;
    if (rows > INSERT_ROWS) {
      portions.push([]);
      ({ rows } = segment);
    }
    portions.at(-1)?.push(segment);
  }
  return portions;
}

/**
 * Of the waiting segments those that must go next. What was announced before an end comes first, all that is still there,
 * because its token stands for these rows; else the first and those that go with it.
 */
export function nextGroup(
  waiting: readonly Segment[],
  announced: SegmentGroup | null,
  maxRows = GROUP_ROWS,
): Segment[] {
  const again = announced ? waiting.filter((segment) => isPart(announced, segment)) : [];
  const [first] = waiting;
  if (again.length > 0 || !first) return again;
  const group = [first];
  let { rows } = first;
  for (const segment of waiting.slice(1)) {
    const before = group.at(-1) as Segment;
    rows += segment.rows;
    if (!follows(before, segment) || rows > maxRows) break;
    group.push(segment);
  }
  return group;
}

/** True when the segment is one of the group's. */
export function isPart({ inlet, boot, first, last }: SegmentGroup, segment: Segment): boolean {
  return segment.inlet === inlet && segment.boot === boot && segment.sequence >= first && segment.sequence <= last;
}

function follows(before: Segment, segment: Segment): boolean {
  return (
    before.state === 'native' &&
    segment.state === 'native' &&
    segment.inlet === before.inlet &&
    segment.boot === before.boot &&
    segment.sequence === before.sequence + 1
  );
}

/** What a group is announced as. */
export function groupOf(segments: readonly Segment[]): SegmentGroup {
  const first = segments[0] as Segment;
  const { inlet, boot } = first;
  return { inlet, boot, first: first.sequence, last: (segments.at(-1) as Segment).sequence };
}

/** Part of the deduplication token; one segment is known by its id alone. */
export function groupToken(group: SegmentGroup): string {
  const id = segmentId({ ...group, sequence: group.first });
  return group.first === group.last ? id : `${id}-${group.last}`;
}
