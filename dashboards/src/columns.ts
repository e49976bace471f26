import type { Override } from './colors.ts';

/** Widths of columns by display name, in pixels; what is not named shares the rest. */
const WIDTHS: readonly (readonly [names: string, width: number])[] = [
  ['Start|End', 185],
  ['Exporter|(Input|Output) interface', 95],
  ['.* before\\)|Change', 85],
  ['Utilization', 110],
  ['(Client|Server|Source|Destination) port', 85],
  ['(Client|Server|Source|Destination) country', 90],
  ['(Client|Server|Source|Destination) AS', 90],
  ['(Source|Destination) network name', 130],
  ['Direction|Protocol', 100],
];

/** Numbers are narrow, shares have a bar, headers break into lines: so that all columns fit beside each other at 1280 pixels. */
export function columnOverrides(hidden: readonly string[] = []): Override[] {
  return [
    { matcher: { id: 'byType', options: 'number' }, properties: [{ id: 'custom.width', value: 95 }] },
    { matcher: { id: 'byRegexp', options: '/./' }, properties: [{ id: 'custom.wrapHeaderText', value: true }] },
    {
      matcher: { id: 'byRegexp', options: '/^Share/' },
      properties: [
        { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } },
        { id: 'custom.width', value: 115 },
        { id: 'color', value: { mode: 'fixed', fixedColor: 'blue' } },
      ],
    },
    ...WIDTHS.map(([names, value]) => ({
      matcher: { id: 'byRegexp', options: `/^(${names})$/` },
      properties: [{ id: 'custom.width', value }],
    })),
    ...hidden.map((name) => ({
      matcher: { id: 'byName', options: name },
      properties: [{ id: 'custom.hideFrom.viz', value: true }],
    })),
  ];
}
