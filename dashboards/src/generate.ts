import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from './board.ts';
import { BOARDS } from './boards.ts';

/** File names and contents of all dashboards, as they lie in `dashboards/json`. */
export function generate(): ReadonlyMap<string, string> {
  return new Map(
    BOARDS.map((board) => [`${board.uid}.json`, `${JSON.stringify(plain(dashboard(board, BOARDS)), null, 2)}\n`]),
  );
}

/** Without what only the SDK needs, and in the form that Grafana writes. */
function plain(built: Dashboard): unknown {
  return { ...(JSON.parse(JSON.stringify(built)) as object), id: null, schemaVersion: 41, version: 1 };
}
