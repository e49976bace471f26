/** Encoded rows as a list of buffers: a segment of a trickle takes one, of a flood a dozen, and none is ever copied. */
export interface Pieces {
  /** Room for at least `need` bytes; call {@link Pieces.grow} with what was used of it. */
  room(need: number): Uint8Array;
  grow(usedBytes: number): void;
  /** All that was added since the last call. */
  take(): Uint8Array[];
  /** The buffers may be used again. */
  giveBack(pieces: readonly Uint8Array[]): void;
}

const PIECE_BYTES = 4 * 1024 * 1024;
/** Kept for the next segments: fresh ones cost a page fault per 4 KiB, more than the copy itself. */
const SPARE_PIECES = 16;

export function createPieces(): Pieces {
  const spare: Uint8Array[] = [];
  let filled: Uint8Array[] = [];
  let current: Uint8Array | null = null;
  let used = 0;

  function close(): void {
    if (current && used > 0) filled.push(current.subarray(0, used));
    else if (current) giveBack([current]);
    current = null;
    used = 0;
  }

  function giveBack(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      const whole = new Uint8Array(piece.buffer);
      if (whole.length === PIECE_BYTES && spare.length < SPARE_PIECES) spare.push(whole);
    }
  }

  return {
    room(need) {
      if (!current || current.length - used < need) {
        close();
        // Not zeroed: it is overwritten up to the length that is written out.
        current =
          (need <= PIECE_BYTES ? spare.pop() : undefined) ??
          new Uint8Array(Buffer.allocUnsafeSlow(Math.max(need, PIECE_BYTES)).buffer);
      }
      return current.subarray(used);
    },
    grow(usedBytes) {
      used += usedBytes;
    },
    take() {
      close();
      const pieces = filled;
      filled = [];
      return pieces;
    },
    giveBack,
  };
}
