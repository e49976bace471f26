import { COLUMNS } from '@ringflow/contract';
import { createBatch, itemsPerRow, resetBatch } from './batch.ts';
import { WIRE_DEFAULTS } from './config.ts';
import { createDecoder } from './decode.ts';
import { type Source, createDatagramInfo } from './decoder.ts';
import { readPcap } from './pcap.ts';
import { loadManifest, readCapture } from './testing/captures.ts';

const manifest = loadManifest();
const source: Source = { address: '192.0.2.1', words: new Uint32Array([0, 0, 0xffff0000, 1]), port: 1 };

/** Small and fast, and the same every time. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

(manifest ? describe : describe.skip)('hostile input', () => {
  // A file without any test counts as failed.
  if (!manifest) return test('needs the captures', () => undefined);
  const payloads = [...readPcap(readCapture(manifest, manifest.interleaved.pcap))].map((datagram) =>
    datagram.payload.slice(),
  );
  const config = { ...WIRE_DEFAULTS, parking: { ...WIRE_DEFAULTS.parking, max_bytes: 1 << 20 } };

  function createVictim() {
    const decoder = createDecoder(config, { options: () => {}, counters: () => {} });
    const batch = createBatch({ rowLimit: 0, columns: COLUMNS });
    const info = createDatagramInfo();
    let now = 1_700_000_000_000;
    let fed = 0;
    return {
      decoder,
      feed(payload: Uint8Array): void {
        now += 10;
        const rows = decoder.decode(payload, source, now, batch, info);
        if (rows !== batch.rows) throw new Error(`${rows} rows announced, ${batch.rows} written`);
        while (decoder.replay(batch, info) >= 0) if (batch.rows > 10_000) resetBatch(batch);
        // Nothing behind the rows that are counted: a later datagram relies on zeros there. Looking now and then is
        // enough, because nobody clears what is written there by mistake.
        for (let index = ++fed % 64 === 0 ? 0 : COLUMNS.length; index < COLUMNS.length; index++) checkBehind(index);
        resetBatch(batch);
      },
    };

    function checkBehind(index: number): void {
      const data = batch.data[index];
      const items = itemsPerRow(COLUMNS[index]?.type ?? 'u8');
      for (let i = batch.rows * items; data && i < (batch.rows + 200) * items; i++) {
        if (data[i] !== 0) throw new Error(`column ${COLUMNS[index]?.name} is written behind the last row`);
      }
    }
  }

  test('X01 every prefix of every payload ends in counted reasons', () => {
    const victim = createVictim();
    for (const payload of payloads) {
      for (let length = 0; length <= payload.length; length++) {
        // A buffer of its own, so that reading behind the end would throw.
        victim.feed(payload.slice(0, length));
      }
    }
    expect(victim.decoder.stats().parkedBytes).toBeLessThanOrEqual(1 << 20);
  });

  test('X01 200,000 mutations never throw, and memory stays bounded', () => {
    const random = createRandom(20_261_121);
    const victim = createVictim();
    for (let i = 0; i < 200_000; i++) {
      const payload = (payloads[random(payloads.length)] as Uint8Array).slice();
      for (let n = 1 + random(4); n > 0; n--) {
        const at = random(3) === 0 ? random(Math.min(payload.length, 40)) : random(payload.length);
        payload[at] = [0, 1, 0xff, 0x80, random(256)][random(5)] as number;
      }
      victim.feed(random(8) === 0 ? payload.slice(0, random(payload.length)) : payload);
    }
    const stats = victim.decoder.stats();
    expect(stats.parkedBytes).toBeLessThanOrEqual(1 << 20);
    expect(stats.templates).toBeLessThanOrEqual(config.templates.max_per_exporter);
  });
});
