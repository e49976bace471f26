import React, { useState } from 'react';
import { configure, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { dateTime } from '@grafana/data';
import { setTemplateSrv, type TemplateSrv } from '@grafana/runtime';
import type { FlowDataSource } from '../datasource';
import { EXAMPLES } from '../data/examples';
import { fakeCollector, variables } from '../testing/world';
import type { PanelQuery, VariableQuery } from '../types';
import { AnnotationEditor } from './AnnotationEditor';
import { CheatSheet } from './CheatSheet';
import { ConfigEditor } from './ConfigEditor';
import { QueryEditor } from './QueryEditor';
import { VariableEditor } from './VariableEditor';

// jsdom works out roles and names slowly, and machines are busy.
jest.setTimeout(60_000);
configure({ asyncUtilTimeout: 15_000 });

// Monaco needs a browser; e2e/ drives the real one. Here: a field of text with the same callbacks.
jest.mock('@grafana/ui', () => ({
  ...jest.requireActual<object>('@grafana/ui'),
  CodeEditor: ({
    value,
    onChange,
    onBlur,
  }: {
    value: string;
    onChange: (text: string) => void;
    onBlur: (text: string) => void;
  }) => (
    <textarea
      aria-label="Filter text"
      defaultValue={value}
      onChange={(event) => onChange(event.target.value)}
      onBlur={(event) => onBlur(event.target.value)}
    />
  ),
}));

const values = {
  src_addr: [
    { value: '10.0.0.1', text: 'web', bytes: 2 },
    { value: '10.0.0.2', text: '', bytes: 1 },
  ],
};
const [from, to] = [dateTime(0), dateTime(3_600_000)];
const range = { from, to, raw: { from, to } };

beforeEach(() => {
  setTemplateSrv(variables({ host: ['10.0.0.1'] }) as unknown as TemplateSrv);
});

/** The editor as a panel holds it: what it reports comes back as its query. */
function show(start: PanelQuery, collector = fakeCollector(values)) {
  const onChange = jest.fn();
  const onRunQuery = jest.fn();
  const datasource = { collector } as unknown as FlowDataSource;
  function Panel() {
    const [query, setQuery] = useState(start);
    const change = (next: PanelQuery) => {
      onChange(next);
      setQuery(next);
    };
    return (
      <QueryEditor datasource={datasource} query={query} onChange={change} onRunQuery={onRunQuery} range={range} />
    );
  }
  render(<Panel />);
  return { onChange, onRunQuery, collector, last: () => onChange.mock.lastCall?.[0] as PanelQuery };
}

/** An option of a list that is open. Not by its role: jsdom takes seconds to work out the roles of a long list. */
const option = (text: string) =>
  screen.findByText((content, element) => content === text && element?.closest('[role="option"]') !== null);

const pick = async (label: string, text: string) => {
  const user = userEvent.setup({ delay: null });
  await user.click(screen.getByLabelText(label));
  await user.click(await option(text));
};

describe('the query editor', () => {
  test('pitfall 17: it says nothing by itself, and numbers and texts count when they are finished', async () => {
    const user = userEvent.setup({ delay: null });
    const { onChange, onRunQuery, last } = show({ refId: 'A', groupBy: ['app'], foreign: 'stays' } as PanelQuery);
    await waitFor(() => expect(screen.getByLabelText('Top')).toHaveValue('10'));
    expect(onChange).not.toHaveBeenCalled();
    await user.clear(screen.getByLabelText('Top'));
    await user.type(screen.getByLabelText('Top'), '25');
    expect(onChange).not.toHaveBeenCalled();
    await user.keyboard('{Enter}');
    expect(onChange).toHaveBeenCalledTimes(1);
    expect(onRunQuery).toHaveBeenCalledTimes(1);
    expect(last()).toMatchObject({ refId: 'A', limit: 25, groupBy: ['app'], foreign: 'stays' });
    await user.type(screen.getByLabelText('Top'), '9{Escape}');
    await user.tab();
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  test('a number keeps to its bounds, and a variable may stand in its place', async () => {
    const user = userEvent.setup({ delay: null });
    const { last } = show({ refId: 'A', groupBy: ['app'] });
    await user.clear(screen.getByLabelText('Top'));
    await user.type(screen.getByLabelText('Top'), '100000{Enter}');
    expect(last().limit).toBe(200);
    await user.clear(screen.getByLabelText('Top'));
    await user.type(screen.getByLabelText('Top'), '$top{Enter}');
    expect(last().limit).toBe('$top');
  });

  test('pitfall 27: every control has a label, and the sentence says what is asked', async () => {
    show({ refId: 'A', groupBy: ['app'], filter: 'proto = tcp' });
    const labels = [
      'Show',
      'Perspective',
      'Group by',
      'Count',
      'As',
      'Top',
      'Other',
      'Mirror',
      'Field 1',
      'Operator 1',
      'Values 1',
    ];
    for (const label of labels) expect(screen.getByLabelText(label)).toBeInTheDocument();
    for (const input of document.querySelectorAll('input, select, textarea'))
      expect(input.getAttribute('aria-label') ?? (input as HTMLInputElement).labels?.[0]?.textContent).toBeTruthy();
    for (const button of document.querySelectorAll('button')) expect(button).toHaveAccessibleName();
    expect(screen.getByTestId('flow-sentence')).toHaveTextContent(
      'Top 10 bits/s by application over time where proto = tcp',
    );
  });

  test.each(['timeseries', 'table', 'stat', 'graph', 'geo', 'heatmap', 'records'] as const)(
    '%s can be shown',
    (kind) => {
      show({ refId: 'A', kind, groupBy: kind === 'records' || kind === 'stat' ? [] : ['src_country', 'dst_country'] });
      expect(screen.getByLabelText('Show')).toBeInTheDocument();
      expect(screen.queryByLabelText('Top') !== null).toBe(kind !== 'stat' && kind !== 'records');
      for (const input of document.querySelectorAll('input'))
        expect(input.getAttribute('aria-label') ?? input.labels?.[0]?.textContent).toBeTruthy();
    },
  );

  test('another kind, perspective and measure by keyboard alone', async () => {
    const user = userEvent.setup({ delay: null });
    const { last } = show({ refId: 'A', groupBy: ['app'] });
    await user.tab();
    expect(screen.getByLabelText('Show')).toHaveFocus();
    await user.keyboard('Flow gr');
    await option('Flow graph');
    await user.keyboard('{ArrowDown}{Enter}');
    expect(last()).toMatchObject({
      kind: 'graph',
      groupBy: ['client_addr', 'server_addr'],
      limit: 50,
      measure: 'total',
    });
    await user.tab();
    expect(screen.getByLabelText('Perspective')).toHaveFocus();
    await user.keyboard('Source');
    await option('Source → destination');
    await user.keyboard('{ArrowDown}{Enter}');
    expect(last()).toMatchObject({ kind: 'graph', groupBy: ['src_addr', 'dst_addr'] });
  });

  test.each([
    ['As', 'Peak'],
    ['Perspective', 'Sour'],
    ['Field 1', 'Dest'],
    ['Operator 1', 'is n'],
  ])('an answer that comes meanwhile leaves what is typed in %s', async (label, typed) => {
    const user = userEvent.setup({ delay: null });
    const datasource = { collector: fakeCollector() } as unknown as FlowDataSource;
    const props = { datasource, onChange: jest.fn(), onRunQuery: jest.fn(), range };
    const query: PanelQuery = { refId: 'A', groupBy: ['src_addr', 'dst_addr'], filter: 'proto = tcp' };
    const { rerender } = render(<QueryEditor {...props} query={query} />);
    await user.click(await screen.findByLabelText(label));
    await user.keyboard(typed);
    rerender(<QueryEditor {...props} query={query} />);
    expect(screen.getByLabelText(label)).toHaveValue(typed);
    expect(props.onChange).not.toHaveBeenCalled();
  });

  test('utilization chooses its interface', async () => {
    const { last } = show({ refId: 'A', groupBy: ['app'] });
    await pick('As', 'Utilization (%)');
    expect(last()).toMatchObject({ measure: 'utilization', groupBy: ['sampler_address', 'in_if'] });
  });

  test('what is folded away says what differs', () => {
    show({ refId: 'A', compare: '1w', baseline: true, resolution: '1h', legend: 'x' });
    expect(screen.getByText(/Options/)).toHaveTextContent(
      'against 1 week before · deviation from usual · 1 hour · legend x',
    );
  });

  test('switches change what they say', async () => {
    const user = userEvent.setup({ delay: null });
    const { last } = show({ refId: 'A', groupBy: ['app'] });
    await user.click(screen.getByLabelText('Mirror'));
    expect(last().mirror).toBe(true);
    await user.click(screen.getByLabelText('Other'));
    expect(last()).toMatchObject({ mirror: true, other: false });
  });
});

describe('the filter', () => {
  test('a condition is built from fields and values of the collector; half of one is not sent', async () => {
    const user = userEvent.setup({ delay: null });
    const { onChange, last, collector } = show({ refId: 'A', filter: 'proto = tcp' });
    await user.click(screen.getByText('Add condition'));
    await user.click(screen.getByLabelText('Field 2'));
    await user.keyboard('Source addr');
    await user.click(await option('Source address'));
    expect(onChange).not.toHaveBeenCalled();
    await user.click(screen.getByLabelText('Values 2'));
    await user.click(await option('10.0.0.1'));
    expect(last().filter).toBe('proto = tcp and src_addr = 10.0.0.1');
    expect(collector.asked.at(-1)).toMatchObject({
      field: 'src_addr',
      filter: 'proto = tcp',
      fromMs: 0,
      toMs: 3_600_000,
    });
    await user.click(await option('$host'));
    expect(last().filter).toBe('proto = tcp and src_addr = (10.0.0.1, $host)');
    await user.click(screen.getByLabelText('Remove condition 1'));
    expect(last().filter).toBe('src_addr = (10.0.0.1, $host)');
  });

  test('comparisons take one value, and a wrong one is named', async () => {
    const user = userEvent.setup({ delay: null });
    const { last } = show({ refId: 'A', filter: 'bytes > 10M' });
    const input = screen.getByLabelText('Values 1');
    await user.clear(input);
    await user.type(input, 'much{Enter}');
    expect(last().filter).toBe('bytes > much');
    expect(within(screen.getByRole('group', { name: 'Condition 1' })).getByRole('alert')).toHaveTextContent(
      /"much" is not a value of bytes/,
    );
  });

  test('builder and text are one filter; a mistake is named with its place', async () => {
    const user = userEvent.setup({ delay: null });
    const { onChange, last } = show({ refId: 'A', filter: 'proto = tcp' });
    await user.click(screen.getByLabelText('Text'));
    const text = screen.getByLabelText('Filter text');
    await user.type(text, ' and src_adr = 1');
    expect(screen.getByText(/Unknown field "src_adr".*\(character 17\)/)).toBeInTheDocument();
    expect(onChange).not.toHaveBeenCalled();
    await user.clear(text);
    await user.type(text, 'proto = udp or dst_port = 80');
    await user.tab();
    expect(last().filter).toBe('proto = udp or dst_port = 80');
    expect(screen.getByLabelText('Builder')).toBeDisabled();
  });

  test('rows follow a filter that somebody else changed', () => {
    const datasource = { collector: fakeCollector() } as unknown as FlowDataSource;
    const props = { datasource, onChange: jest.fn(), onRunQuery: jest.fn() };
    const { rerender } = render(<QueryEditor {...props} query={{ refId: 'A', filter: 'proto = tcp' }} />);
    rerender(<QueryEditor {...props} query={{ refId: 'A', filter: 'proto = tcp and bytes > 5' }} />);
    expect(screen.getByLabelText('Values 2')).toHaveValue('5');
    expect(props.onChange).not.toHaveBeenCalled();
  });
});

test('examples are queries that can be asked', async () => {
  const user = userEvent.setup({ delay: null });
  const onClickExample = jest.fn();
  render(<CheatSheet onClickExample={onClickExample} datasource={{} as never} query={{ refId: 'A' }} />);
  await user.click(screen.getByText('Who talks to whom?'));
  expect(onClickExample).toHaveBeenCalledWith(expect.objectContaining({ refId: 'A', kind: 'graph' }));
  expect(document.querySelectorAll('button').length).toBeGreaterThan(EXAMPLES.length);
});

describe('pitfall 20: settings', () => {
  const options = { url: 'http://collector:8055', jsonData: {}, secureJsonFields: {}, secureJsonData: {} };
  const showConfig = (parts: object = {}) => {
    const onOptionsChange = jest.fn();
    function Page() {
      const [current, setCurrent] = useState({ ...options, ...parts } as never);
      const change = (next: unknown) => {
        onOptionsChange(next);
        setCurrent(next as never);
      };
      return <ConfigEditor options={current} onOptionsChange={change} />;
    }
    render(<Page />);
    return onOptionsChange;
  };

  test('the token goes into the secrets and nowhere else', async () => {
    const changed = showConfig();
    await userEvent.setup({ delay: null }).type(screen.getByLabelText('Token'), 's3cret');
    const last = changed.mock.lastCall?.[0];
    expect(last.secureJsonData).toEqual({ token: 's3cret' });
    expect(JSON.stringify({ ...last, secureJsonData: {} })).not.toContain('s3cret');
  });

  test('a token that is set is not shown, and can be taken back', async () => {
    const changed = showConfig({ secureJsonFields: { token: true } });
    expect(screen.getByLabelText('Token')).toBeDisabled();
    await userEvent.setup({ delay: null }).click(screen.getByRole('button', { name: 'Reset' }));
    expect(changed.mock.lastCall?.[0]).toMatchObject({
      secureJsonFields: { token: false },
      secureJsonData: { token: '' },
    });
  });

  test('the status page is linked, a URL without scheme is refused', async () => {
    showConfig();
    expect(screen.getByRole('link', { name: /Status page/ })).toHaveAttribute('href', 'http://collector:8055');
    const url = screen.getByLabelText(/^URL/);
    const user = userEvent.setup({ delay: null });
    await user.clear(url);
    await user.type(url, 'collector:8055');
    expect(screen.getByText(/with its scheme/)).toBeInTheDocument();
    expect(screen.queryByRole('link')).toBeNull();
  });

  test('certificates are asked for when they are wanted', async () => {
    const changed = showConfig();
    const user = userEvent.setup({ delay: null });
    expect(screen.queryByLabelText('Private key')).toBeNull();
    await user.click(screen.getByLabelText('Client certificate'));
    await user.click(screen.getByLabelText('Own authority'));
    expect(screen.getByLabelText('Private key')).toBeInTheDocument();
    expect(screen.getByLabelText('Certificate of the authority')).toBeInTheDocument();
    await user.type(screen.getByLabelText(/Timeout/), '90{Enter}');
    expect(changed.mock.lastCall?.[0].jsonData).toEqual({ tlsAuth: true, tlsAuthWithCACert: true, timeout: 90 });
  });
});

test('a variable shows its first values before it is saved', async () => {
  const onChange = jest.fn();
  const datasource = { collector: fakeCollector(values) } as unknown as FlowDataSource;
  const query: VariableQuery = { refId: 'variable', type: 'values', field: 'src_addr' };
  render(
    <VariableEditor datasource={datasource} query={query} onChange={onChange} onRunQuery={jest.fn()} range={range} />,
  );
  expect(await screen.findByText(/First values: web, 10\.0\.0\.2/)).toBeInTheDocument();
  expect(onChange).not.toHaveBeenCalled();
  await pick('Options are', 'Exporters');
  expect(onChange).toHaveBeenLastCalledWith(expect.objectContaining({ refId: 'variable', type: 'exporters' }));
});

test('a variable that cannot be answered says why', async () => {
  const collector = { ...fakeCollector(), values: () => Promise.reject({ status: 502, data: {} }) };
  const datasource = { collector } as unknown as FlowDataSource;
  const query: VariableQuery = { refId: 'variable', type: 'networks' };
  render(<VariableEditor datasource={datasource} query={query} onChange={jest.fn()} onRunQuery={jest.fn()} />);
  expect(await screen.findByText(/cannot be reached/)).toBeInTheDocument();
});

test('an annotation chooses kinds of events and exporters', async () => {
  const onChange = jest.fn();
  const datasource = { collector: fakeCollector() } as unknown as FlowDataSource;
  render(
    <AnnotationEditor datasource={datasource} query={{ refId: 'Events' }} onChange={onChange} onRunQuery={jest.fn()} />,
  );
  expect(onChange).not.toHaveBeenCalled();
  await pick('Events', 'Exporter restarted');
  expect(onChange).toHaveBeenLastCalledWith({ refId: 'Events', queryType: 'events', kinds: ['exporter_restarted'] });
  await pick('Exporters', 'edge1');
  expect(onChange).toHaveBeenLastCalledWith(expect.objectContaining({ exporters: ['192.0.2.1'] }));
});
