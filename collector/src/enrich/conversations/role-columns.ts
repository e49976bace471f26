import { COLUMN_INDEX, type Batch } from '../../wire/index.ts';

/** The columns that rules about client and server look at; one that a batch does not have reads as zero. */
export interface RoleColumns {
  src: Int32Array;
  dst: Int32Array;
  packets: Uint32Array;
  quality: Uint32Array;
  srcPort: Uint16Array;
  dstPort: Uint16Array;
  tcpFlags: Uint16Array;
  proto: Uint8Array;
  biflow: Uint8Array;
  initiator: Uint8Array;
  dstScope: Uint8Array;
  icmpType: Uint8Array;
  direction: Uint8Array;
  tos: Uint8Array;
  bind(batch: Batch): void;
  /** When the record of a row arrived. */
  seconds(row: number): number;
}

export function createRoleColumns(): RoleColumns {
  let capacity = 0;
  let zeros: Uint32Array = new Uint32Array(0);
  let zeroWords: Int32Array = new Int32Array(0);
  let zeroHalves: Uint16Array = new Uint16Array(0);
  let zeroBytes: Uint8Array = new Uint8Array(0);
  let times = zeros;
  let lastLow = -1;
  let lastHigh = -1;
  let lastSeconds = 0;

  /** The same memory; one view per array, not per call. */
  function signed(words: Uint32Array | null, before: Int32Array): Int32Array {
    if (!words) return zeroWords;
    return before.buffer === words.buffer ? before : new Int32Array(words.buffer, words.byteOffset, words.length);
  }

  const columns: RoleColumns = {
    src: zeroWords,
    dst: zeroWords,
    packets: zeros,
    quality: zeros,
    srcPort: zeroHalves,
    dstPort: zeroHalves,
    tcpFlags: zeroHalves,
    proto: zeroBytes,
    biflow: zeroBytes,
    initiator: zeroBytes,
    dstScope: zeroBytes,
    icmpType: zeroBytes,
    direction: zeroBytes,
    tos: zeroBytes,
    bind(batch) {
      if (capacity < batch.capacity) {
        capacity = batch.capacity;
        // Pages that are only read cost no memory.
        zeros = new Uint32Array(capacity * 4);
        zeroWords = new Int32Array(zeros.buffer);
        zeroHalves = new Uint16Array(zeros.buffer, 0, capacity);
        zeroBytes = new Uint8Array(zeros.buffer, 0, capacity);
      }
      const words = (index: number): Uint32Array => (batch.data[index] ?? zeros) as Uint32Array;
      const halves = (index: number): Uint16Array => (batch.data[index] ?? zeroHalves) as Uint16Array;
      const bytes = (index: number): Uint8Array => (batch.data[index] ?? zeroBytes) as Uint8Array;
      columns.src = signed(batch.data[COLUMN_INDEX.src_addr] as Uint32Array | null, columns.src);
      columns.dst = signed(batch.data[COLUMN_INDEX.dst_addr] as Uint32Array | null, columns.dst);
      columns.packets = words(COLUMN_INDEX.packets);
      columns.quality = words(COLUMN_INDEX.quality);
      columns.srcPort = halves(COLUMN_INDEX.src_port);
      columns.dstPort = halves(COLUMN_INDEX.dst_port);
      columns.tcpFlags = halves(COLUMN_INDEX.tcp_flags);
      columns.proto = bytes(COLUMN_INDEX.proto);
      columns.biflow = bytes(COLUMN_INDEX.biflow_direction);
      columns.initiator = bytes(COLUMN_INDEX.initiator);
      columns.dstScope = bytes(COLUMN_INDEX.dst_scope);
      columns.icmpType = bytes(COLUMN_INDEX.icmp_type);
      columns.direction = bytes(COLUMN_INDEX.direction);
      columns.tos = bytes(COLUMN_INDEX.ip_tos);
      times = words(COLUMN_INDEX.time_received_ns);
    },
    // Rows that came together have the same time.
    seconds(row) {
      const low = times[row * 2] as number;
      const high = times[row * 2 + 1] as number;
      if (low === lastLow && high === lastHigh) return lastSeconds;
      lastLow = low;
      lastHigh = high;
      lastSeconds = Math.floor((high * 4_294_967_296 + low) / 1e9);
      return lastSeconds;
    },
  };
  return columns;
}
