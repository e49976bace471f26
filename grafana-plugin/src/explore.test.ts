import {
  FieldType,
  LoadingState,
  SupplementaryQueryType,
  type DataFrame,
  type DataQueryResponse,
  type LogRowModel,
} from '@grafana/data';
import { lastValueFrom, Observable, throwError } from 'rxjs';
import { bodies, frame, run, sent, server, source, useServer } from './testing/source';
import { answer, FROM_MS, request, TO_MS } from './testing/world';
import type { PanelQuery } from './types';

beforeEach(useServer);

describe('pitfall 19: Explore', () => {
  const { datasource } = source();

  test('a query has one readable sentence', () => {
    expect(datasource.getQueryDisplayText({ refId: 'A', kind: 'table', groupBy: ['src_addr'] })).toMatch(
      /^Top 10 bytes by source address$/,
    );
  });

  test('a clicked value is added, replaces its opposite, and is taken away again', () => {
    const add = (query: PanelQuery, type: string) =>
      datasource.modifyQuery(query, { type, options: { key: 'Source address', value: '10.0.0.1' } });
    const first = add({ refId: 'A', filter: 'proto = tcp or proto = udp' }, 'ADD_FILTER');
    expect(first.filter).toBe('(proto = tcp or proto = udp) and src_addr = "10.0.0.1"');
    expect(add(first, 'ADD_FILTER').filter).toBe(first.filter);
    expect(add(first, 'ADD_FILTER_OUT').filter).toBe('(proto = tcp or proto = udp) and src_addr != "10.0.0.1"');
    const options = { key: 'src_addr', value: '10.0.0.1' };
    expect(datasource.queryHasFilter(first, options)).toBe(true);
    const toggled = datasource.toggleQueryFilter(first, { type: 'FILTER_FOR', options });
    expect(toggled.filter).toBe('proto = tcp or proto = udp');
    expect(datasource.queryHasFilter(toggled, options)).toBe(false);
  });

  test('records have a volume by severity over the whole range', async () => {
    expect(datasource.getSupportedSupplementaryQueryTypes()).toEqual([SupplementaryQueryType.LogsVolume]);
    const records: PanelQuery = { refId: 'A', kind: 'records', format: 'both', filter: 'proto = tcp' };
    const asked = datasource.getSupplementaryRequest(
      SupplementaryQueryType.LogsVolume,
      request([records, { refId: 'B' }]),
    );
    expect(asked?.targets.map(({ refId }) => refId)).toEqual([
      'log-volume-A-error',
      'log-volume-A-warning',
      'log-volume-A-info',
    ]);
    expect(datasource.getSupplementaryQuery({ type: SupplementaryQueryType.LogsVolume }, records)).toMatchObject({
      refId: 'log-volume-A',
      kind: 'timeseries',
      filter: 'proto = tcp',
    });
    expect(
      datasource.getSupplementaryRequest(SupplementaryQueryType.LogsVolume, request([{ refId: 'B' }])),
    ).toBeUndefined();
    server.reply = () => answer({ 'log-volume-A-warning': { frames: [frame('flows', [3], { type: 'number' })] } });
    const { data } = await lastValueFrom(datasource.query(asked as never));
    expect((data[0] as DataFrame).fields[0]?.labels).toEqual({ level: 'warning' });
  });

  test('the context of a line is what its hosts did around it', async () => {
    const labels = { src_addr: '10.0.0.1', dst_addr: '10.0.0.2' };
    const row = { labels, timeEpochMs: FROM_MS, uid: 'x' } as unknown as LogRowModel;
    await datasource.getLogRowContext(row, { direction: 'FORWARD' as never, limit: 5 });
    expect(bodies()[0]?.queries[0]).toMatchObject({ kind: 'records', format: 'logs', limit: 5 });
    expect(bodies()[0]?.queries[0]?.filter).toMatch(/addr = "?10\.0\.0\.1"? and addr = "?10\.0\.0\.2"?/);
    expect(Number(bodies()[0]?.from)).toBeGreaterThan(FROM_MS);
  });

  test('labels of a line stand in groups', () => {
    expect(
      ['src_addr', 'dst_as', 'sampler_address', 'proto'].map((label) => datasource.getLabelDisplayTypeFromFrame(label)),
    ).toEqual(['Source', 'Destination', 'Exporter', 'Flow']);
  });

  test('cells and series lead on, within the filter of their query', async () => {
    server.reply = () =>
      answer({
        A: {
          frames: [
            frame('src_addr', ['10.0.0.1']),
            frame('bps', [1], { type: 'number', labels: { app: 'https (TCP/443)' } }),
          ],
        },
      });
    const { data } = await run([{ refId: 'A', filter: 'proto = tcp' }]);
    const links = data.map(({ fields }: DataFrame) => fields[0]?.config.links?.[0]);
    expect(links[0]?.internal).toMatchObject({
      datasourceUid: 'flows',
      query: { kind: 'records', filter: 'proto = tcp and (src_addr = "${__value.raw}")' },
    });
    expect(links[1]?.internal?.query).toMatchObject({ filter: 'proto = tcp and app = "https (TCP/443)"' });
  });

  test('rows of records open and say the rest', async () => {
    const fields = ['src_addr', 'next_hop', 'bytes'].map((name) => ({
      name,
      type: name === 'bytes' ? 'number' : 'string',
    }));
    const records = { schema: { fields }, data: { values: [['10.0.0.1'], ['10.9.9.9'], [1500]] } };
    server.reply = () => answer({ A: { frames: [records] } });
    const { data } = await run([{ refId: 'A', kind: 'records', columns: ['src_addr'], details: true }]);
    expect(bodies()[0]?.queries[0]?.columns).toEqual([]);
    const [first, nested] = (data[0] as DataFrame).fields;
    expect([first?.name, nested?.name, nested?.type]).toEqual(['src_addr', '__nestedFrames', FieldType.nestedFrames]);
    expect(nested?.values[0][0].fields.map(({ values }: { values: string[] }) => values)).toEqual([
      ['src_addr', 'next_hop', 'bytes'],
      ['10.0.0.1', '10.9.9.9', '1500'],
    ]);
  });

  test('rows that open have the columns that are shown, though they are no part of the record', async () => {
    await run([{ refId: 'A', kind: 'records', columns: ['client_addr', 'bytes'], details: true }]);
    const columns = bodies()[0]?.queries[0]?.columns ?? [];
    expect(columns).toEqual(expect.arrayContaining(['src_addr', 'dst_addr', 'next_hop', 'client_addr']));
    expect(new Set(columns).size).toBe(columns.length);
  });

  test('a live tail shows records as lines until nobody listens', () => {
    let closed = false;
    const line = (address: string) => ({
      leftOut: 1,
      frame: {
        schema: {
          refId: 'A',
          meta: { executedQueryString: '', stats: [], notices: [], custom: {} },
          fields: [
            { name: 'time_flow_end_ns', type: 'time', config: {} },
            { name: 'src_addr', type: 'string', config: {} },
          ],
        },
        data: { values: [[TO_MS], [address]], nanos: [[17], null] },
      },
    });
    const text = `${JSON.stringify(line('10.0.0.1'))}\n{"leftOut":0}\n${JSON.stringify(line('10.0.0.2'))}\n`;
    // Cut anywhere, also inside a line.
    const chunks = [text.slice(0, 40), text.slice(40)].map((part) => ({ data: new TextEncoder().encode(part) }));
    server.reply = () =>
      new Observable((subscriber) => {
        for (const chunk of chunks) subscriber.next(chunk);
        return () => (closed = true);
      });
    const packets: DataQueryResponse[] = [];
    const live = datasource
      .query(request([{ refId: 'A', kind: 'records', filter: 'proto = tcp' }], { liveStreaming: true }))
      .subscribe((packet) => packets.push(packet));
    expect(sent[0]).toMatchObject({
      url: '/api/datasources/uid/flows/resources/tail',
      params: { filter: 'proto = tcp' },
    });
    const last = packets.at(-1) as DataQueryResponse;
    expect(last).toMatchObject({ key: 'tail-A', state: LoadingState.Streaming });
    const [shown] = last.data as DataFrame[];
    expect(shown?.fields.map(({ name }) => name)).toEqual(['timestamp', 'body', 'severity', 'id', 'labels']);
    expect(shown?.fields[1]?.values.map((body: string) => /10\.0\.0\.\d/.exec(body)?.[0])).toEqual([
      '10.0.0.1',
      '10.0.0.2',
    ]);
    expect(shown?.fields[0]?.nanos).toEqual([17, 17]);
    expect(shown?.meta?.notices?.[0]?.text).toMatch(/^2 more/);
    live.unsubscribe();
    expect(closed).toBe(true);
  });

  test('a live tail that fails says why', () => {
    server.reply = () => throwError(() => ({ status: 502, data: {} }));
    const packets: DataQueryResponse[] = [];
    datasource
      .query(request([{ refId: 'A', kind: 'records' }], { liveStreaming: true }))
      .subscribe((packet) => packets.push(packet));
    expect(packets.at(-1)?.errors?.[0]?.message).toMatch(/cannot be reached/);
  });
});
