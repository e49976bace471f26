import { fakeCollector, variables } from '../testing/world';
import type { VariableQuery } from '../types';
import { variableOptions } from './variable-options';

const VALUES = {
  in_if: [{ value: '3', text: 'xe-0/0/3', bytes: 1 }],
  if: [{ value: '3', text: 'xe-0/0/3', bytes: 1 }],
  network: [{ value: 'dmz', text: 'dmz', bytes: 1 }],
  sampler_address: [{ value: '192.0.2.9', text: 'core', bytes: 1 }],
  dst_port: [{ value: '443', text: '', bytes: 1 }],
};

const ask = async (query: Partial<VariableQuery>, values = {}, scopedVars = {}) => {
  const collector = fakeCollector(VALUES);
  const targets = [{ refId: 'variable', ...query }];
  const options = await variableOptions(
    { targets, scopedVars, fromMs: 1, toMs: 2 },
    collector,
    variables(values) as never,
  );
  return { options, asked: collector.asked };
};

test('pitfall 23: options are texts, also where values are numbers', async () => {
  const { options } = await ask({ type: 'values', field: 'dst_port' });
  expect(options).toEqual([{ text: '443', value: '443' }]);
});

test('a variable depends on others, and is limited to its time range', async () => {
  const filter = 'sampler_address in ($exporter) and proto = $proto';
  const { asked } = await ask(
    { type: 'interfaces', filter },
    { exporter: ['192.0.2.1', '192.0.2.2'], proto: '$__all' },
  );
  expect(asked).toEqual([
    { field: 'if', filter: 'sampler_address in (192.0.2.1, 192.0.2.2)', search: '', limit: 1000, fromMs: 1, toMs: 2 },
  ]);
});

test('exporters are those that are known; those of a filter are those that sent such traffic', async () => {
  expect((await ask({ type: 'exporters' })).options).toEqual([
    { text: 'edge1', value: '192.0.2.1' },
    { text: '192.0.2.2', value: '192.0.2.2' },
  ]);
  expect((await ask({ type: 'exporters', filter: 'proto = tcp' })).options).toEqual([
    { text: 'core', value: '192.0.2.9' },
  ]);
});

test('what is typed into the box of a variable is searched for', async () => {
  const typed = { __searchFilter: { value: 'EDGE*', text: '' } };
  expect((await ask({ type: 'exporters' }, {}, typed)).options).toEqual([{ text: 'edge1', value: '192.0.2.1' }]);
  expect((await ask({ type: 'networks' }, {}, typed)).asked).toMatchObject([{ field: 'network', search: 'EDGE' }]);
});

test('fields can be options, and a field can be a variable', async () => {
  expect((await ask({ type: 'fields' })).options).toContainEqual({ text: 'Source AS', value: 'src_as' });
  expect((await ask({ type: 'values', field: '$by' }, { by: 'in_if' })).asked).toMatchObject([{ field: 'in_if' }]);
});

test('no field, no values; an error is not an empty list', async () => {
  expect((await ask({ type: 'values' })).options).toEqual([]);
  const broken = { ...fakeCollector(), values: () => Promise.reject(new Error('gone')) };
  const request = { targets: [{ refId: 'v', type: 'networks' as const }], scopedVars: {} };
  await expect(variableOptions(request, broken, variables({}) as never)).rejects.toThrow('gone');
});
