import { CLIENT_SIDES, DIRECTIONS, DUPLICATES, QUALITY, ROLE_RULES, SCOPES } from '@ringflow/contract';
import { COLUMN_INDEX, useColumn, type Batch } from '../../wire/index.ts';
import { OTHER_EXPORTER, type Duplicates } from './duplicates.ts';
import type { Endpoints } from '../applications/endpoints.ts';
import { NO_ROW, SLOT, type FlowTable } from './flow-table.ts';
import { createRoleColumns } from './role-columns.ts';
import { RANK, rankOf, type PortRanks } from '../applications/service.ts';
import type { Step } from '../step.ts';

export interface RolesDeps {
  readonly table: FlowTable;
  readonly endpoints: Endpoints;
  readonly ports: PortRanks;
  /** Null when duplicates are not marked. */
  readonly duplicates: Duplicates | null;
  /** A row before those of the step got another `service`. */
  readonly revise: (batch: Batch, row: number) => void;
}

export interface RolesStep {
  readonly step: Step;
  /** Records by word of `DUPLICATES` that were marked, since start. */
  duplicates(): Readonly<Record<string, number>>;
}

/** A record of the same conversation says as much for this long (semantics 5.2 rule 5). */
export const OPPOSITE_SECONDS = 300;

const rule = (name: (typeof ROLE_RULES)[number]): number => ROLE_RULES.indexOf(name);
const SRC = CLIENT_SIDES.indexOf('src');
const DST = CLIENT_SIDES.indexOf('dst');
const MULTICAST = SCOPES.indexOf('multicast');
const BROADCAST = SCOPES.indexOf('broadcast');
const IN = DIRECTIONS.indexOf('in');
const OUT = DIRECTIONS.indexOf('out');
const OPPOSITE = rule('opposite_record');
const KNOWN_PORT = rule('known_port');
const LOWER_PORT = rule('lower_port');
const OWN_ADDRESS = rule('own_address');
const LOWER_ADDRESS = rule('lower_address');

const ICMP = 1;
const TCP = 6;
const ICMP6 = 58;

/**
 * What a record says by itself, the strongest first: two bits each, `1 << 2k` for "the lower endpoint is the client",
 * the next one for the higher. An ICMP type 0 stands last, because exporters that send no type leave it 0, too.
 */
const EVIDENCE = [
  rule('initiator'),
  rule('multicast'),
  rule('endpoint'),
  rule('tcp_flags'),
  rule('initiator'),
] as const;
const INITIATOR = 1;
const TO_MULTICAST = 1 << 2;
const TO_ENDPOINT = 1 << 4;
const FLAGS = 1 << 6;
const ECHO_REPLY = 1 << 8;
const ALL_EVIDENCE = 0x3ff;
/** Where evidence stands in `SLOT.state`, above the protocol. */
const EVIDENCE_SHIFT = 8;
/** Beside a row's own evidence: the source is the lower endpoint; nothing tells the ends apart. */
const SRC_IS_LOW = 1 << 10;
const SAME_ENDS = 1 << 11;

/**
 * By evidence: which bit decides, 0 = none. What contradicts itself decides nothing: the next rule is asked.
 */
const DECIDING = Uint16Array.from({ length: ALL_EVIDENCE + 1 }, (_, evidence) => {
  for (let k = 0; k < EVIDENCE.length; k++) {
    const pair = (evidence >> (2 * k)) & 3;
    if (pair === 1 || pair === 2) return pair << (2 * k);
  }
  return 0;
});
/** By the number of the deciding bit. */
const RULE_OF_BIT = Uint8Array.from({ length: 2 * EVIDENCE.length }, (_, bit) => EVIDENCE[bit >> 1] as number);

/**
 * Tells client from server (semantics 5.2), and writes `client_side`, `role_rule`, `service` (protocol and the server's
 * port) and, in the same look-up, `dup`.
 *
 * Rules 1 to 4 are what a record says by itself. What the records of a conversation say within five minutes is put
 * together with OR, which knows no order; the strongest rule that is not contradicted decides for all of them. A row
 * that does not say so itself gets rule 5 (`opposite_record`). Where nothing was said, rules 6 to 8 look at ports and
 * addresses, and come to the same answer from either end. So the order in which records come does not matter: a row
 * is corrected when a later one knows better, as long as it is in the batch. A batch that was emptied is on its way to
 * disk: its rows stay as they were decided. So when the record that knows better comes a batch later, the two rows may
 * differ; each says by which rule, and all that follow agree with the better one.
 *
 * Needs `direction` and the scopes of addresses. Rows without addresses are told by their ports alone.
 */
export function createRolesStep({ table, endpoints, ports, duplicates, revise }: RolesDeps): RolesStep {
  const { slots } = table;
  const { first, ranks } = ports;
  const hasEndpoints = endpoints.names.length > 1;
  let batchOfRows: Batch | null = null;
  let nextRow = 0;
  /** By row of the batch: what it says itself, its slot, the row of the conversation before it, who exported it. */
  let said = new Uint16Array(0);
  let slotOf = new Int32Array(0);
  let rowBefore = new Int32Array(0);
  let exporterOf = new Uint16Array(0);
  const read = createRoleColumns();
  const marked = new Float64Array(DUPLICATES.length);
  let sides: Uint8Array = new Uint8Array(0);
  let rules: Uint8Array = new Uint8Array(0);
  let services: Uint32Array = new Uint32Array(0);

  function bind(batch: Batch, from: number): void {
    if (said.length < batch.capacity) {
      said = new Uint16Array(batch.capacity);
      slotOf = new Int32Array(batch.capacity);
      rowBefore = new Int32Array(batch.capacity);
      exporterOf = new Uint16Array(batch.capacity);
    }
    // What is kept by row belongs to another batch, or to this one before it was emptied.
    if (batch !== batchOfRows || from !== nextRow) slotOf.fill(NO_ROW, 0, Math.max(from, nextRow));
    batchOfRows = batch;
    read.bind(batch);
    sides = useColumn(batch, COLUMN_INDEX.client_side) as Uint8Array;
    rules = useColumn(batch, COLUMN_INDEX.role_rule) as Uint8Array;
    services = useColumn(batch, COLUMN_INDEX.service) as Uint32Array;
    duplicates?.bind(batch);
  }

  /** Rules 1 to 4 for a row by itself. */
  function evidenceOf(row: number, proto: number, srcPort: number, dstPort: number, srcIsLow: boolean): number {
    let src = 0;
    let dst = 0;
    const biflow = read.initiator[row] || (read.biflow[row] as number);
    if (biflow === 1 || biflow === 2) {
      const isReverse = ((read.quality[row] as number) & QUALITY.reverse) !== 0;
      if ((biflow === 1) !== isReverse) src = INITIATOR;
      else dst = INITIATOR;
    }
    const scope = read.dstScope[row] as number;
    if (scope === MULTICAST || scope === BROADCAST) src |= TO_MULTICAST;
    if (hasEndpoints && srcPort + dstPort > 0) {
      const atSrc = endpoints.find(read.src, row * 4, srcPort, proto) !== 0;
      const atDst = endpoints.find(read.dst, row * 4, dstPort, proto) !== 0;
      if (atDst && !atSrc) src |= TO_ENDPOINT;
      if (atSrc && !atDst) dst |= TO_ENDPOINT;
    }
    if (proto === TCP) {
      const flags = read.tcpFlags[row] as number;
      if ((flags & 0x12) === 0x02) src |= FLAGS;
      // Flags are ORed over the flow: only a short one without data can be nothing but the answer.
      else if ((flags & 0x1b) === 0x12 && (read.packets[row * 2] as number) <= 2) dst |= FLAGS;
    } else if (proto === ICMP) {
      const type = read.icmpType[row] as number;
      if (type === 8) src |= INITIATOR;
      else if (type === 0) dst |= ECHO_REPLY;
    } else if (proto === ICMP6) {
      const type = read.icmpType[row] as number;
      if (type === 128) src |= INITIATOR;
      else if (type === 129) dst |= INITIATOR;
    }
    return srcIsLow ? src | (dst << 1) : dst | (src << 1);
  }

  /** A conversation of an endpoint with itself. */
  function isLoop(slot: number): boolean {
    const both = slots[slot + SLOT.ports] as number;
    for (let i = 0; i < 4; i++) if (slots[slot + SLOT.low + i] !== slots[slot + SLOT.high + i]) return false;
    return both >>> 16 === (both & 0xffff);
  }

  /** Writes the answer for a row, given what decides for its conversation. */
  function settle(row: number, deciding: number): void {
    const own = said[row] as number;
    const proto = read.proto[row] as number;
    const base = first[proto] as number;
    const srcPort = base < 0 ? 0 : (read.srcPort[row] as number);
    const dstPort = base < 0 ? 0 : (read.dstPort[row] as number);
    const srcIsLow = (own & SRC_IS_LOW) !== 0;
    let side: number;
    let why: number;
    if (deciding !== 0) {
      const bit = 31 - Math.clz32(deciding);
      side = ((bit & 1) === 0) === srcIsLow ? SRC : DST;
      why = (own & deciding) !== 0 ? (RULE_OF_BIT[bit] as number) : OPPOSITE;
    } else {
      const srcRank = base < 0 ? RANK.none : rankOf(ranks, base, srcPort);
      const dstRank = base < 0 ? RANK.none : rankOf(ranks, base, dstPort);
      if (srcRank !== dstRank) {
        side = srcRank < dstRank ? SRC : DST;
        why = srcRank >= RANK.registered || dstRank >= RANK.registered ? KNOWN_PORT : LOWER_PORT;
      } else if (srcPort !== dstPort) {
        side = srcPort > dstPort ? SRC : DST;
        why = LOWER_PORT;
      } else {
        const direction = read.direction[row] as number;
        if ((own & SAME_ENDS) !== 0) {
          side = 0;
          why = 0;
        } else if (direction === OUT || direction === IN) {
          side = direction === OUT ? SRC : DST;
          why = OWN_ADDRESS;
        } else {
          side = srcIsLow ? SRC : DST;
          why = LOWER_ADDRESS;
        }
      }
    }
    sides[row] = side;
    rules[row] = why;
    services[row] = proto * 65_536 + (side === DST ? srcPort : dstPort);
  }

  /** The rows of the batch that belong to a conversation, settled anew. */
  function settleBefore(batch: Batch, slot: number, deciding: number, from: number): void {
    for (let row = slots[slot + SLOT.row] as number; row !== NO_ROW; row = rowBefore[row] as number) {
      settle(row, deciding);
      if (row < from) revise(batch, row);
    }
  }

  function mark(marks: Uint8Array, row: number, word: number): void {
    marks[row] = word;
    marked[word] = (marked[word] as number) + 1;
  }

  /** Marks the rows of an exporter that lost a direction of a conversation. */
  function markBefore(batch: Batch, slot: number, srcIsLow: boolean, tos: number, exporter: number): void {
    const marks = useColumn(batch, COLUMN_INDEX.dup) as Uint8Array;
    for (let row = slots[slot + SLOT.row] as number; row !== NO_ROW; row = rowBefore[row] as number) {
      const isSameWay = (((said[row] as number) & SRC_IS_LOW) !== 0) === srcIsLow;
      if (isSameWay && exporterOf[row] === exporter && read.tos[row] === tos && marks[row] === 0)
        mark(marks, row, OTHER_EXPORTER);
    }
  }

  function settleRow(batch: Batch, row: number, from: number, marks: Uint8Array | null): Uint8Array | null {
    const { src, dst } = read;
    const at = row * 4;
    const proto = read.proto[row] as number;
    const base = first[proto] as number;
    const srcPort = base < 0 ? 0 : (read.srcPort[row] as number);
    const dstPort = base < 0 ? 0 : (read.dstPort[row] as number);
    const srcIsLow = isLower(src, dst, at, srcPort, dstPort);
    const own = evidenceOf(row, proto, srcPort, dstPort, srcIsLow);
    const nowSeconds = read.seconds(row);
    const hash = table.hashOf(src, dst, at, (srcPort << 16) | dstPort, proto);
    const slot = srcIsLow
      ? table.find(hash, src, dst, at, (srcPort << 16) | dstPort, proto, nowSeconds)
      : table.find(hash, dst, src, at, (dstPort << 16) | srcPort, proto, nowSeconds);

    let state = slots[slot + SLOT.state] as number;
    const silent = (nowSeconds - (slots[slot + SLOT.seen] as number)) | 0;
    // Records that were parked carry an earlier time than those before them.
    if (silent > 0) slots[slot + SLOT.seen] = nowSeconds;
    let before = (state >>> EVIDENCE_SHIFT) & ALL_EVIDENCE;
    let rowOfSlot = slots[slot + SLOT.row] as number;
    // The row of an earlier batch, or of an earlier conversation in this slot.
    if (rowOfSlot >= row || rowOfSlot === NO_ROW || slotOf[rowOfSlot] !== slot)
      rowOfSlot = slots[slot + SLOT.row] = NO_ROW;
    if (silent > OPPOSITE_SECONDS) {
      state &= ~(ALL_EVIDENCE << EVIDENCE_SHIFT);
      before = 0;
      rowOfSlot = slots[slot + SLOT.row] = NO_ROW;
    }
    const evidence = before | own;
    const deciding = DECIDING[evidence] as number;
    slots[slot + SLOT.state] = state | (evidence << EVIDENCE_SHIFT);
    if (rowOfSlot !== NO_ROW && deciding !== DECIDING[before]) settleBefore(batch, slot, deciding, from);
    said[row] =
      (srcIsLow ? own | SRC_IS_LOW : own) | (slots[slot + 3] === slots[slot + 7] && isLoop(slot) ? SAME_ENDS : 0);
    slotOf[row] = slot;
    rowBefore[row] = rowOfSlot;
    settle(row, deciding);

    if (duplicates) {
      const tos = read.tos[row] as number;
      const word = duplicates.judge(row, slots, slot + (srcIsLow ? SLOT.owners : SLOT.owners + 2), tos, nowSeconds);
      exporterOf[row] = duplicates.exporter();
      if (rowOfSlot !== NO_ROW && duplicates.overtaken() !== 0)
        markBefore(batch, slot, srcIsLow, tos, duplicates.overtaken());
      if (word !== 0) {
        marks ??= useColumn(batch, COLUMN_INDEX.dup) as Uint8Array;
        mark(marks, row, word);
      }
    }
    slots[slot + SLOT.row] = row;
    return marks;
  }

  function step(batch: Batch, from: number, to: number): void {
    bind(batch, from);
    const { src, dst } = read;
    let marks: Uint8Array | null = null;
    for (let row = from; row < to; row++) {
      const at = row * 4;
      if (
        ((src[at + 2] as number) | (dst[at + 2] as number)) !== 0 ||
        ((src[at + 3] as number) | (dst[at + 3] as number)) !== 0 ||
        ((src[at] as number) | (dst[at] as number)) !== 0
      ) {
        marks = settleRow(batch, row, from, marks);
        continue;
      }
      // No addresses: only ports, if any, can tell.
      slotOf[row] = NO_ROW;
      said[row] = SAME_ENDS;
      settle(row, 0);
    }
    nextRow = to;
  }

  return {
    step,
    duplicates: () => Object.fromEntries(DUPLICATES.slice(1).map((word, index) => [word, marked[index + 1] as number])),
  };
}

/** Whether the source is the lower endpoint: by address as a number, then by port. */
function isLower(src: Int32Array, dst: Int32Array, at: number, srcPort: number, dstPort: number): boolean {
  for (let i = at; i < at + 4; i++) {
    const a = src[i] as number;
    const b = dst[i] as number;
    if (a === b) continue;
    // The first byte on the wire is the lowest one of the word: compare the lowest one that differs.
    const differ = a ^ b;
    const byte = 0xff << ((31 - Math.clz32(differ & -differ)) & 24);
    return (a & byte) >>> 0 < (b & byte) >>> 0;
  }
  return srcPort <= dstPort;
}
