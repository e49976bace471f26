import { resolve } from 'node:path';
import { INLET_DEFAULTS } from '../../collector/src/inlet/index.ts';
import { WIRE_DEFAULTS } from '../../collector/src/wire/index.ts';
import { ATTACKS } from './hostile.ts';
import { runFuzz, type FuzzReport } from './runner.ts';

/**
 * One kind of flood at a time through a real inlet, half of it from a few senders, half from made-up addresses, with
 * four honest exporters among it: they lose nothing, and what the flood cost is bounded and counted.
 */
type Check = (inlet: FuzzReport['inlet']) => void;

const lost =
  (...reasons: string[]): Check =>
  ({ losses, exporters }) => {
    for (const reason of reasons) {
      expect([reason, losses[reason] ?? 0]).toEqual([reason, expect.any(Number)]);
      expect(losses[reason]).toBeGreaterThan(0);
      // By exporter as well, for those that are followed.
      expect(exporters.some((exporter) => (exporter.losses[reason] ?? 0) > 0)).toBe(true);
    }
  };

const CHECKS: Readonly<Record<string, Check>> = {
  'template flood': ({ decoder, templateChanges }) => {
    expect(decoder.templates).toBeLessThanOrEqual(WIRE_DEFAULTS.templates.max_total);
    expect(templateChanges).toBeGreaterThan(WIRE_DEFAULTS.templates.max_total * 10);
  },
  'template and data': ({ decoder }) => expect(decoder.templates).toBeGreaterThan(500),
  'options flood': ({ names, namesEvicted }) => {
    expect(names).toBeLessThanOrEqual(INLET_DEFAULTS.limits.names);
    expect(namesEvicted).toBeGreaterThan(INLET_DEFAULTS.limits.names);
  },
  'strange fields': lost('limit_fields', 'bad_template'),
  'data without template': (inlet) => {
    lost('template_missing')(inlet);
    const { parkedBytes, evictedTotal, discardedTotal } = inlet.decoder;
    expect(parkedBytes).toBeLessThanOrEqual(WIRE_DEFAULTS.parking.max_bytes);
    expect(evictedTotal + discardedTotal).toBeGreaterThan(0);
  },
  'sFlow nesting': lost('sample_malformed'),
  'variable lengths': lost('record_malformed'),
  'structured data': lost('record_malformed'),
  'made-up exporters': ({ sources, followed }) => {
    expect(sources.evicted).toBeGreaterThan(0);
    expect(sources.known + sources.unknown).toBeLessThanOrEqual(INLET_DEFAULTS.limits.unknown_sources + 8);
    expect(followed).toBeLessThanOrEqual(INLET_DEFAULTS.limits.sessions);
  },
  'sequences and clocks': ({ exporters, followed, unfollowed }) => {
    expect(exporters.reduce((sum, { sequence }) => sum + sequence.resets + sequence.lost, 0)).toBeGreaterThan(0);
    expect(unfollowed).toBeGreaterThan(0);
    expect(followed).toBeLessThanOrEqual(INLET_DEFAULTS.limits.sessions);
  },
};

/** Where it takes more, or less, to use the bounds up. */
const DATAGRAMS: Readonly<Record<string, number>> = { 'made-up exporters': 20_000, 'options flood': 200 };

test.each(ATTACKS.map(({ name }) => name))(
  'X01 X02 X03 flood: %s',
  async (only) => {
    const report = await runFuzz({
      datagrams: DATAGRAMS[only] ?? 1500,
      seed: 20_261_121,
      captures: resolve('does-not-matter'),
      progress: () => undefined,
      print: () => undefined,
      only,
    });
    expect(report.problems).toEqual([]);
    for (const { sent, arrived } of report.honest) expect([sent > 60, arrived]).toEqual([true, sent]);
    const check = CHECKS[only];
    if (!check) throw new Error('Say what must be bounded and counted in this flood');
    check(report.inlet);
  },
  120_000,
);
