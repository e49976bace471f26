import { spawnSync } from 'node:child_process';
import { createBoundedLabels, createMetrics, METRICS } from './index.ts';

const promtool = spawnSync('promtool', ['--version']).status === 0;

describe('metrics', () => {
  test('every definition follows the naming rules', () => {
    for (const { name, type, help } of METRICS) {
      expect(name).toMatch(/^ringflow_[a-z0-9_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(help).not.toMatch(/\.$/);
    }
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
  });

  (promtool ? test : test.skip)(
    'promtool check metrics finds nothing to say about a page with every series',
    async () => {
      const metrics = createMetrics();
      for (const definition of METRICS) {
        const labels = Object.fromEntries(definition.labels.map((label) => [label, 'x'])) as never;
        if (definition.type === 'counter') metrics.add(definition.name, labels);
        else if (definition.type === 'gauge') metrics.set(definition.name, labels, 1);
        else metrics.observe(definition.name, labels, 1);
      }
      const check = spawnSync('promtool', ['check', 'metrics'], { input: await metrics.text(), encoding: 'utf8' });
      expect(`${check.stdout}${check.stderr}`).toBe('');
      expect(check.status).toBe(0);
    },
  );

  test('a total that another process keeps survives its restart', async () => {
    const metrics = createMetrics();
    metrics.total('ringflow_inlet_seals_total', {}, 5, 'inlet');
    metrics.total('ringflow_inlet_seals_total', {}, 7, 'inlet');
    metrics.forget('inlet');
    metrics.total('ringflow_inlet_seals_total', {}, 9, 'inlet');
    metrics.total('ringflow_inlet_seals_total', {}, 1, 'inlet');
    expect(await metrics.text()).toContain('\nringflow_inlet_seals_total 17\n');
  });

  test('labels are bounded: who comes late is counted as other', () => {
    const labels = createBoundedLabels(() => 2);
    expect(['a', 'b', 'c', 'a'].map(labels.admit)).toEqual([true, true, false, true]);
    expect(labels.size).toBe(2);
  });
});
