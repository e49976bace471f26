import type { ResolvedAddress } from '@ringflow/contract';
import { LoadingState, type DataFrame, type DataQueryResponse } from '@grafana/data';
import type { BackendSrvRequest } from '@grafana/runtime';
import { lastValueFrom, of, throwError, toArray, type Observable } from 'rxjs';
import { MOST_ADDRESSES } from './data/host-names';
import { frame, sent, server, source, useServer } from './testing/source';
import { answer, request } from './testing/world';
import type { PanelQuery } from './types';

beforeEach(useServer);

const RECORDS: PanelQuery = { refId: 'A', kind: 'records', resolve: '$resolve' };

/** Addresses that name servers were asked for, question by question. */
const asked = () =>
  sent.filter(({ url }) => url.endsWith('/resolve')).map(({ data }) => (data as { addresses: string[] }).addresses);

/** Every answer to a query over a collector that has these addresses and knows these names. */
function answers(
  addresses: readonly string[],
  names: Record<string, string>,
  { query = RECORDS, resolve = 'on', lookUp }: Partial<Asked> = {},
): Promise<DataQueryResponse[]> {
  const known = (address: string): Partial<ResolvedAddress> => ({
    address,
    names: names[address] === undefined ? [] : [names[address]],
  });
  server.reply = ({ url }: BackendSrvRequest) =>
    url.endsWith('/resolve')
      ? (lookUp?.() ?? of({ data: { results: asked().flat().map(known) } }))
      : answer({ A: { frames: [frame('src_addr', [...addresses])] } });
  return lastValueFrom(
    source({ resolve })
      .datasource.query(request([query]))
      .pipe(toArray()),
  );
}
interface Asked {
  query: PanelQuery;
  resolve: string;
  lookUp: () => Observable<unknown>;
}

const fieldOf = ({ data }: DataQueryResponse) => (data[0] as DataFrame).fields[0];
const shownOf = (response: DataQueryResponse) =>
  fieldOf(response)?.config.mappings?.flatMap(({ options }) => Object.entries(options));

test('nobody is asked before somebody wants names', async () => {
  const [only, ...more] = await answers(['203.0.113.5'], { '203.0.113.5': 'cdn.example.com' }, { resolve: 'off' });
  expect([more, asked(), fieldOf(only as DataQueryResponse)?.config.mappings]).toEqual([[], [], undefined]);
});

test('addresses come first, then their names in place of them; the values stay addresses', async () => {
  const addresses = ['203.0.113.5', '198.51.100.9', '203.0.113.5', 'other', ''];
  const [first, second, ...more] = await answers(addresses, { '203.0.113.5': 'cdn.example.com' });
  expect([first?.state, shownOf(first as DataQueryResponse)]).toEqual([LoadingState.Loading, undefined]);
  expect(second?.state).not.toBe(LoadingState.Loading);
  expect(shownOf(second as DataQueryResponse)).toEqual([['203.0.113.5', { text: 'cdn.example.com' }]]);
  expect(fieldOf(second as DataQueryResponse)?.values).toEqual(addresses);
  expect(more).toEqual([]);
  expect(asked()).toEqual([['203.0.113.5', '198.51.100.9']]);
});

test('an opened row says both', async () => {
  const query = { ...RECORDS, details: true, resolve: true };
  const last = (await answers(['203.0.113.5'], { '203.0.113.5': 'cdn.example.com' }, { query })).at(-1);
  const nested = (last?.data[0] as DataFrame).fields.at(-1)?.values[0] as DataFrame[];
  expect(nested[0]?.fields[1]?.values).toEqual(['cdn.example.com (203.0.113.5)']);
});

test('no more are asked for at a time than a collector takes', async () => {
  const many = Array.from({ length: MOST_ADDRESSES + 1 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  await answers(many, {});
  expect(asked().map(({ length }) => length)).toEqual([MOST_ADDRESSES]);
});

test('a collector that looks nothing up leaves the addresses, and the panel says why', async () => {
  const refusal = { status: 404, data: { message: 'Names of addresses are not looked up here' } };
  const last = (await answers(['203.0.113.5'], {}, { lookUp: () => throwError(() => refusal) })).at(-1);
  expect(fieldOf(last as DataQueryResponse)?.values).toEqual(['203.0.113.5']);
  expect((last?.data[0] as DataFrame).meta?.notices).toEqual([
    { severity: 'warning', text: 'Addresses have no names: Names of addresses are not looked up here' },
  ]);
});
