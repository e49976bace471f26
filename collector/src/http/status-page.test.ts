import { createHash } from 'node:crypto';
import type { ExporterInfo, StatusResponse } from '@ringflow/contract';
import { COLOURS } from './status-assets.ts';
import { lockedPage, statusPage } from './status-page.ts';
import { formatRate, formatRoundBytes, formatSpan, formatSpeed } from './status-text.ts';
import { CHROMIUM, openPage, type BrowserOptions, type BrowserPage } from './testing/browser.ts';
import { createTestServer, EXPORTER, type TestServer } from './testing/server.ts';

const NOW = Date.UTC(2026, 0, 10, 12);
const EVIL = `<script>document.title='owned'</script><img src=x onerror="document.title='owned'">"'\`&amp;\u0007`;

const HOSTILE: ExporterInfo = {
  ...EXPORTER,
  name: EVIL,
  protocols: ['IPFIX', EVIL],
  lostUnits: [EVIL],
  losses: { [EVIL]: 3 },
  lastSeenMs: NOW - 1000,
  interfaces: [
    {
      index: 3,
      name: EVIL,
      description: `"><svg onload=alert(1)>`,
      speedBps: 1e10,
      source: 'options',
      attributes: { provider: EVIL },
    },
  ],
};

/** Protocols and units are fixed words: only names can be without a place to break a line. */
const LONG: ExporterInfo = { ...HOSTILE, protocols: ['NETFLOW_V9', 'SFLOW_5'], lostUnits: ['samples'] };

function statusOf(change: Partial<StatusResponse> = {}): StatusResponse {
  return {
    version: '1.2.3',
    nowMs: NOW,
    startedMs: NOW - 93_784_000,
    ledger: {
      received: 110,
      stored: 90,
      waiting: 10,
      dropped: [{ reason: 'spool_full', exporter: '192.0.2.1', records: 10 }],
      difference: 0,
    },
    store: {
      open: true,
      engine: 'embedded',
      tables: [
        {
          table: 'flows',
          archive: 'raw',
          rows: 90,
          sizeBytes: 4096,
          oldestMs: NOW - 86_400_000,
          budgetBytes: 2 ** 30,
          growthBytesPerDay: 2 ** 20,
          reachSeconds: 5.2 * 86_400,
        },
        {
          table: 'rings_1m',
          archive: '1m',
          rows: 0,
          sizeBytes: 0,
          oldestMs: null,
          budgetBytes: 2 ** 29,
          growthBytesPerDay: 0,
          reachSeconds: null,
        },
      ],
      lastError: null,
    },
    spool: { waitingSegments: 2, waitingRows: 10, waitingBytes: 2048 },
    decoder: {},
    exporters: 1,
    details: {
      processes: [{ role: 'inlet', state: 'down', restarts: 2, error: EVIL }],
      listeners: [
        {
          address: '::',
          port: 2055,
          requestedBytes: 2 ** 25,
          grantedBytes: 212_992,
          datagrams: 7,
          kernelDrops: 5,
          queueBytes: 768,
        },
      ],
      receiver: 'recvmmsg',
      losses: { template_missing: 4 },
      refused: { not_allowed: 6 },
      oldestWaitingSeconds: 90,
      disk: { directory: '/srv/ringflow', freeBytes: 2 ** 30, totalBytes: 2 ** 32 },
      limits: { storeBytes: 2 ** 34, spoolBytes: 2 ** 30, spoolFreeBytes: 0, clockMs: 600_000 },
      enrich: {
        files: [
          {
            path: '/etc/ringflow/as.csv',
            loadedMs: NOW - 5000,
            modifiedMs: NOW - 9000,
            entries: 1234,
            error: null,
            loads: 2,
            failures: 0,
          },
          { path: `/etc/${EVIL}`, loadedMs: 0, modifiedMs: 0, entries: 0, error: EVIL, loads: 0, failures: 1 },
        ],
        addresses: {
          cacheHits: 9,
          cacheMisses: 1,
          directions: {
            in: { records: 6, bytes: 6000 },
            out: { records: 3, bytes: 3000 },
            internal: { records: 0, bytes: 0 },
            transit: { records: 1, bytes: 1000 },
          },
        },
      },
      jobs: [{ job: 'retention', running: false, lastSuccessMs: 0, failures: 1, lastError: EVIL }],
      problems: [
        { process: 'store', level: 'error', message: EVIL, count: 3, firstMs: NOW - 9000, lastMs: NOW - 4000 },
      ],
    },
    ...change,
  };
}

const page = (exporters = [HOSTILE], status = statusOf()): string =>
  statusPage({ status, exporters, ready: { ready: true, reasons: [] } });
/** What a person reads. */
const textOf = (markup: string): string =>
  markup
    .replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');

describe('status page', () => {
  test('shows exporters, listeners, ledger, store, disk, spool and problems', () => {
    const text = textOf(page([{ ...EXPORTER, lastSeenMs: NOW - 900_000, clockOffsetMs: 4_000_000 }]));
    for (const part of [
      'Version 1.2.3, up 1 d 2 h',
      'edge1 192.0.2.1 IPFIX',
      'silent, 15 min ago',
      '7 records',
      '1 h 6 min behind',
      'bad length',
      'Gi0/3',
      '1 Gbit/s',
      '[::]:2055 7 5 208 KiB of 32 MiB asked; 768 B waiting',
      'Received 110',
      'spool full 10',
      'template missing 4',
      'refused: not allowed 6',
      'Single flow records raw 1 d',
      '5 d 4 h at 1 MiB a day',
      '4 KiB share: 1 GiB',
      '10 records in 2 segments wait for the store, the oldest for 1 min 30 s',
      '1 GiB free',
      '1 exporter silent for more than 5 min',
      'The kernel dropped 5 datagrams',
      '90.0 % of the bytes go into the own networks or out of them',
      'in 6 5.9 KiB 60.0 %',
      '/etc/ringflow/as.csv in use 5 s ago 1,234',
      'not in use',
      '3 times',
    ])
      expect([part, text.includes(part)]).toEqual([part, true]);
  });

  test('asks whether the own networks are right when nothing crosses their border', () => {
    const status = statusOf();
    const directions = { in: { records: 0, bytes: 0 }, transit: { records: 5, bytes: 700 } };
    const enrich = { files: [], addresses: { cacheHits: 0, cacheMisses: 0, directions } };
    expect(textOf(page([EXPORTER], statusOf({ details: { ...status.details, enrich } })))).toContain(
      '0.0 % of the bytes go into the own networks or out of them. Is enrich.own right?',
    );
  });

  test('says what to do when nobody exports', () => {
    expect(textOf(page([]))).toContain(
      'Point routers at this machine, UDP port 2055. If they do send, ringflow doctor',
    );
  });

  test('a thousand exporters do not make a page of megabytes', () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({
      ...EXPORTER,
      address: `10.0.${index >> 8}.${index & 255}`,
    }));
    const markup = page(many);
    expect(markup.length).toBeLessThan(1e6);
    expect(textOf(markup)).toContain('4,750 more in');
  });

  test('names from outside stay text', () => {
    const markup = page().replace(/<(style|script)>[\s\S]*?<\/\1>/g, '');
    expect(markup).not.toMatch(/<script|<img|<svg|onerror="|\u0007/);
    // Every tag is one of the page's own.
    const tags = new Set([...markup.matchAll(/<([a-z0-9]+)/gi)].map(([, tag]) => tag));
    for (const tag of tags)
      expect(
        'html head meta title link noscript body a div header h1 h2 h3 p time main strong dl dt dd small section table thead tbody tr th td span bdi details summary ul li meter code footer nav'.split(
          ' ',
        ),
      ).toContain(tag);
  });

  test('is made for screen readers', () => {
    const markup = page();
    expect(markup).toContain('<html lang="en">');
    for (const landmark of ['<header>', '<main id="main">', '<footer>', '<nav aria-label="More">'])
      expect(markup).toContain(landmark);
    expect(markup.match(/<h1>/g)).toHaveLength(1);
    const tables = markup.match(/<table[\s\S]*?<\/table>/g) ?? [];
    expect(tables.length).toBeGreaterThan(6);
    for (const table of tables) {
      expect(table).toMatch(/^<table role="table" aria-label="[^"]+"/);
      expect(table.match(/<th role="columnheader" scope="col"/g)?.length).toBeGreaterThan(1);
      expect(table.match(/<tr role="row" data-key/g)?.length ?? 0).toBe(
        table.match(/<th role="rowheader" scope="row"/g)?.length ?? 0,
      );
    }
    for (const [, id] of markup.matchAll(/aria-labelledby="([^"]+)"/g)) expect(markup).toContain(`id="${id}"`);
    for (const meter of markup.match(/<meter[^>]*>/g) ?? []) expect(meter).toContain('aria-labelledby');
  });

  test.each([0, 1] as const)('text has enough contrast (WCAG AA), colour scheme %i', (mode) => {
    for (const name of ['text', 'quiet', 'link', 'good', 'warn', 'bad'] as const)
      for (const back of ['back', 'card'] as const)
        expect([name, back, contrast(COLOURS[name][mode], COLOURS[back][mode]) >= 4.5]).toEqual([name, back, true]);
  });

  test('figures are for people', () => {
    expect([0, 999, 59_000, 61_000, 93_784_000, -90_000].map(formatSpan)).toEqual([
      '0 ms',
      '999 ms',
      '59 s',
      '1 min 1 s',
      '1 d 2 h',
      '1 min 30 s',
    ]);
    expect([0, 1023, 1536, 2 ** 40].map(formatRoundBytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '1 TiB']);
    expect([1e6, 2.5e9, 1e11].map(formatSpeed)).toEqual(['1 Mbit/s', '2.5 Gbit/s', '100 Gbit/s']);
    expect([0, 0.04, 3.21, 12_345.6].map(formatRate)).toEqual(['0', '0.0', '3.2', '12,346']);
  });
});

describe('GET /', () => {
  const servers: TestServer[] = [];
  const start = async (...args: Parameters<typeof createTestServer>): Promise<TestServer> => {
    const server = await createTestServer(...args);
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  test('only the two texts of the page may run, by their hashes', async () => {
    const server = await start(NOW);
    const response = await fetch(server.url);
    const policy = response.headers.get('content-security-policy') ?? '';
    const markup = await response.text();
    for (const tag of ['style', 'script']) {
      const inner = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(markup)?.[1] as string;
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(inner).digest('base64')}'`);
    }
    expect(policy).not.toContain('unsafe');
    expect(markup).not.toMatch(/ style="| on[a-z]+="/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('with a token configured, a stranger sees that it runs and nothing else', async () => {
    const server = await start(NOW, { token: 'secret' }, {}, { exporters: () => [HOSTILE] });
    const locked = await (await fetch(server.url)).text();
    expect(locked).toBe(lockedPage('0.0.0-test', true));
    expect(locked).not.toContain('192.0.2.1');
    const open = await fetch(server.url, { headers: { authorization: 'Bearer secret' } });
    expect(await open.text()).toContain('192.0.2.1');
  });

  const inBrowser = CHROMIUM ? test : test.skip;
  if (!CHROMIUM) console.warn('status page: no Chromium here, its tests are left out');
  const pages: BrowserPage[] = [];
  const open = async (url: string, options: Partial<BrowserOptions> = {}): Promise<BrowserPage> => {
    const page = await openPage(url, { width: 1200, scheme: 'light', ...options });
    pages.push(page);
    return page;
  };
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.close();
  });
  const sleep = 'const sleep = (ms) => new Promise((done) => setTimeout(done, ms));';

  inBrowser('Chromium shows it, hostile names stay text, and it refreshes itself in its place', async () => {
    let asked = 0;
    const rows = Array.from({ length: 60 }, (_, index) => ({ ...LONG, address: `10.0.0.${index}` }));
    const server = await start(
      NOW,
      {},
      {},
      {
        exporters: () => {
          asked += 1;
          const late = asked > 2 ? [{ ...EXPORTER, address: '10.0.1.1' }] : [];
          return [...late, ...rows.map((row) => ({ ...row, records: asked * 1000 }))];
        },
        status: () => statusOf(),
      },
    );
    const page = await open(server.url);
    const result = (await page.evaluate(`(async () => {
      ${sleep}
      const row = document.querySelector('tr[data-key="10.0.0.30"]');
      const list = row.querySelector('details');
      const before = row.textContent;
      list.open = true;
      list.querySelector('summary').focus();
      row.scrollIntoView();
      const top = row.getBoundingClientRect().top;
      for (let i = 0; i < 200 && !document.querySelector('tr[data-key="10.0.1.1"]'); i++) await sleep(100);
      return {
        same: document.querySelector('tr[data-key="10.0.0.30"]') === row,
        open: list.open,
        focused: document.activeElement === list.querySelector('summary'),
        scrolled: scrollY > 500,
        movedBy: Math.round(row.getBoundingClientRect().top - top),
        changed: row.textContent !== before,
        first: document.querySelector('#page tbody tr').dataset.key,
        title: document.title,
        told: document.getElementById('connection').textContent,
        name: row.querySelector('bdi').textContent,
        foreign: document.querySelectorAll('img, svg, #page script, [onerror], [onload]').length,
      };
    })()`)) as object;
    expect(result).toEqual({
      same: true,
      open: true,
      focused: true,
      scrolled: true,
      movedBy: 0,
      changed: true,
      first: '10.0.1.1',
      title: 'Ringflow: look',
      told: 'Refreshes every 5 seconds.',
      name: EVIL.replace('\u0007', '\ufffd'),
      foreign: 0,
    });
    expect(page.complaints).toEqual([]);
  });

  inBrowser('says so when the collector is gone', async () => {
    const server = await start(NOW, {}, {}, { status: () => statusOf() });
    const page = await open(server.url);
    await server.http.stop();
    const told = await page.evaluate(`(async () => {
      ${sleep}
      const at = document.getElementById('connection');
      for (let i = 0; i < 200 && !at.textContent.startsWith('No answer'); i++) await sleep(100);
      return at.textContent;
    })()`);
    expect(told).toMatch(/^No answer from the collector since \d/);
  });

  inBrowser('nothing is cut off on a phone, and dark is dark', async () => {
    const server = await start(NOW, {}, {}, { exporters: () => [LONG], status: () => statusOf() });
    for (const width of [320, 390, 800, 1000, 1300]) {
      const page = await open(server.url, { width });
      expect([width, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([width, width]);
    }
    const back = 'getComputedStyle(document.body).backgroundColor';
    expect(await (await open(server.url, { scheme: 'dark' })).evaluate(back)).toBe('rgb(15, 20, 25)');
    expect(await (await open(server.url)).evaluate(back)).toBe('rgb(255, 255, 255)');
  });

  inBrowser('a token that a person types opens the page', async () => {
    const server = await start(NOW, { token: 'secret' }, {}, { status: () => statusOf() });
    const page = await open(server.url);
    const enter = (token: string): string => `(async () => {
      ${sleep}
      const answer = () => document.getElementById('token-answer')?.textContent;
      const input = document.getElementById('token');
      input.value = ${JSON.stringify(token)};
      input.form.requestSubmit();
      for (let i = 0; i < 100 && answer() === ''; i++) await sleep(50);
      return [document.querySelectorAll('table').length > 0, answer() ?? ''];
    })()`;
    expect(await page.evaluate(enter('wrong'))).toEqual([false, 'The collector does not take this token.']);
    expect(await page.evaluate(enter('secret'))).toEqual([true, '']);
    expect(page.complaints).toEqual([]);
  });
});

/** WCAG 2.2, contrast ratio. */
function contrast(one: string, two: string): number {
  const luminance = (colour: string): number => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light, dark] = [luminance(one), luminance(two)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}
