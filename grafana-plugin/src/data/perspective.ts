import type { QueryKind } from '@ringflow/contract';

/** A usual way to look at traffic: which fields it is grouped by. */
export interface Perspective {
  id: string;
  label: string;
  description: string;
  groupBy: readonly string[];
  /** For maps, which need countries or places. */
  places?: readonly string[];
}

export const PERSPECTIVES: readonly Perspective[] = [
  {
    id: 'client_server',
    label: 'Client → server',
    description: 'Who asked whom, whichever way the record went',
    groupBy: ['client_addr', 'server_addr'],
    places: ['client_country', 'server_country'],
  },
  {
    id: 'src_dst',
    label: 'Source → destination',
    description: 'Who sent to whom, as the exporter saw it',
    groupBy: ['src_addr', 'dst_addr'],
    places: ['src_country', 'dst_country'],
  },
  {
    id: 'as',
    label: 'AS → AS',
    description: 'From which autonomous system to which',
    groupBy: ['src_as', 'dst_as'],
    places: ['src_country', 'dst_country'],
  },
  {
    id: 'application',
    label: 'Applications',
    description: 'What the traffic is',
    groupBy: ['app'],
  },
  {
    id: 'interface',
    label: 'Exporters and interfaces',
    description: 'Where traffic came in',
    groupBy: ['sampler_address', 'in_if'],
  },
  {
    id: 'network',
    label: 'Networks',
    description: 'Between which of the configured networks',
    groupBy: ['src_network', 'dst_network'],
  },
];

/** Those that a kind can show. */
export function perspectivesOf(kind: QueryKind): readonly Perspective[] {
  if (kind === 'geo') return PERSPECTIVES.filter(({ id, places }) => places && id !== 'as');
  return kind === 'graph' ? PERSPECTIVES.filter(({ groupBy }) => groupBy.length > 1) : PERSPECTIVES;
}

export function groupsOf(perspective: Perspective, kind: QueryKind): string[] {
  return [...(kind === 'geo' ? (perspective.places ?? []) : perspective.groupBy)];
}

/** The perspective that groups are of; undefined for any other choice. */
export function perspectiveOf(kind: QueryKind, groupBy: readonly string[]): Perspective | undefined {
  const wanted = groupBy.join();
  return perspectivesOf(kind).find((perspective) => groupsOf(perspective, kind).join() === wanted);
}
