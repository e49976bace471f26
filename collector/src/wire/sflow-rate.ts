/**
 * The sampling rate that samples of a data source really stand for (S09, semantics 5.7). An agent that is short of
 * resources drops samples: fewer arrive than its rate says, and it counts them in `drops`. What they stand for can be
 * told from `sample_pool`, the packets that could have been sampled: its growth over a minute, divided by the samples
 * that came, holds for the next minute. Without drops, the rate of each sample is right.
 */
export interface EffectiveRates {
  /**
   * Takes what a flow sample says of itself.
   *
   * @param agent four words
   * @returns the rate to use for it: its own, or the effective one of the minute before when there were drops
   */
  rateOf(
    agent: Uint32Array,
    subAgent: number,
    sourceId: number,
    sequence: number,
    rate: number,
    pool: number,
    drops: number,
    arrivalMs: number,
  ): number;
}

/** As pmacct does (sfacctd_renormalize, semantics 5.7). */
const WINDOW_MS = 60_000;
/** Data sources that are followed (X02); the samples of others keep their own rate. */
const MAX_SOURCES = 16_384;
/** A sample that is this far behind is not late: the agent began anew. */
const REORDER_SAMPLES = 1000;
/** How far the pool may be off what rate, samples and drops say, before it is taken to count something else. */
const TOLERANCE = 2;

/** Words per data source. */
const WORDS = 12;
const SUB_AGENT = 4;
const SOURCE = 5;
const RATE = 6;
const SEQUENCE = 7;
/** At the beginning of the window, as all below. */
const FIRST_SEQUENCE = 8;
const FIRST_POOL = 9;
const FIRST_DROPS = 10;
const SAMPLES = 11;

export function createEffectiveRates(): EffectiveRates {
  // Made at the first sample: most decoders never see one.
  let words = new Uint32Array(0);
  let table = new Uint16Array(0);
  /** When the window of a source began, and the effective rate of the one before; 0 = as sampled. */
  let begun = new Float64Array(0);
  let effective = new Uint32Array(0);
  let sources = 0;
  const mask = MAX_SOURCES * 2 - 1;

  function placeOf(agent: Uint32Array, subAgent: number, sourceId: number): number {
    let hash = Math.imul(subAgent ^ Math.imul(sourceId, 0x9e37_79b1), 0x85eb_ca6b);
    for (let i = 0; i < 4; i++) hash = Math.imul(hash ^ (hash >>> 15) ^ (agent[i] as number), 0xc2b2_ae35);
    for (let place = (hash >>> 12) & mask; ; place = (place + 1) & mask) {
      const number = table[place] as number;
      if (number === 0) return place;
      const at = number * WORDS;
      if (
        words[at + SOURCE] === sourceId &&
        words[at + SUB_AGENT] === subAgent &&
        words[at + 3] === agent[3] &&
        words[at + 2] === agent[2] &&
        words[at + 1] === agent[1] &&
        words[at] === agent[0]
      )
        return place;
    }
  }

  function begin(number: number, sequence: number, rate: number, pool: number, drops: number, arrivalMs: number): void {
    const at = number * WORDS;
    words[at + RATE] = rate;
    words[at + SEQUENCE] = words[at + FIRST_SEQUENCE] = sequence;
    words[at + FIRST_POOL] = pool;
    words[at + FIRST_DROPS] = drops;
    words[at + SAMPLES] = 0;
    begun[number] = arrivalMs;
  }

  /** Of a window that ends now; 0 = the rate of the samples is right, or the pool does not fit to it. */
  function measured(at: number, sequence: number, rate: number, pool: number, drops: number): number {
    const dropped = (drops - (words[at + FIRST_DROPS] as number)) >>> 0;
    const grown = (pool - (words[at + FIRST_POOL] as number)) >>> 0;
    const samples = words[at + SAMPLES] as number;
    if (dropped === 0 || samples === 0) return 0;
    const expected = rate * (((sequence - (words[at + FIRST_SEQUENCE] as number)) >>> 0) + dropped);
    if (grown > expected * TOLERANCE || grown * TOLERANCE < expected) return 0;
    return Math.max(rate, Math.round(grown / samples));
  }

  return {
    rateOf(agent, subAgent, sourceId, sequence, rate, pool, drops, arrivalMs) {
      if (rate === 0) return 0;
      if (words.length === 0) {
        words = new Uint32Array((MAX_SOURCES + 1) * WORDS);
        table = new Uint16Array(MAX_SOURCES * 2);
        begun = new Float64Array(MAX_SOURCES + 1);
        effective = new Uint32Array(MAX_SOURCES + 1);
      }
      const place = placeOf(agent, subAgent, sourceId);
      let number = table[place] as number;
      if (number === 0) {
        if (sources === MAX_SOURCES) return rate;
        number = table[place] = ++sources;
        words.set(agent, number * WORDS);
        words[number * WORDS + SUB_AGENT] = subAgent;
        words[number * WORDS + SOURCE] = sourceId;
        begin(number, sequence, rate, pool, drops, arrivalMs);
        return rate;
      }
      const at = number * WORDS;
      const ahead = (sequence - (words[at + SEQUENCE] as number)) | 0;
      if (words[at + RATE] !== rate || ahead < -REORDER_SAMPLES) {
        effective[number] = 0;
        begin(number, sequence, rate, pool, drops, arrivalMs);
        return rate;
      }
      words[at + SAMPLES] = (words[at + SAMPLES] as number) + 1;
      if (ahead > 0) {
        words[at + SEQUENCE] = sequence;
        if (arrivalMs - (begun[number] as number) >= WINDOW_MS) {
          effective[number] = measured(at, sequence, rate, pool, drops);
          begin(number, sequence, rate, pool, drops, arrivalMs);
        }
      }
      return effective[number] || rate;
    },
  };
}
