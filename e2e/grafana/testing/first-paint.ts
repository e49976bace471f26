import { loadavg } from 'node:os';
import type { Page } from 'playwright-core';

/** When something was first to be seen, milliseconds after the reader asked for the dashboard. */
export interface Painted {
  /** The browser's own first-contentful-paint: Grafana's frame. Not known where the page was there already. */
  readonly frameMs: number | undefined;
  /** The first panel with something in it. */
  readonly firstMs: number;
  /** All panels in view. */
  readonly allMs: number;
}

/** Looks at each frame that is drawn; runs in the page. `since` is 0, or the time of the click that leads to a dashboard. */
const WATCH = `(() => {
  const CONTENT = '[data-testid="data-testid panel content"]';
  const watch = (since, before) => {
    window.painted = undefined;
    let firstMs;
    const look = () => {
      const panels = [...document.querySelectorAll(CONTENT)].filter((panel) => {
        const { top, height } = panel.getBoundingClientRect();
        return !before.has(panel) && height > 0 && top < innerHeight;
      });
      const drawn = panels.filter((panel) => panel.querySelector('canvas, svg g, [role="gridcell"]') || panel.innerText.trim() !== '');
      if (drawn.length > 0) firstMs ??= performance.now() - since;
      const waits = document.querySelector('[aria-label="Panel loading bar"]') !== null;
      if (drawn.length > 0 && drawn.length === panels.length && !waits) {
        const [frame] = performance.getEntriesByName('first-contentful-paint');
        const frameMs = since === 0 && frame ? frame.startTime : undefined;
        window.painted = { frameMs, firstMs, allMs: performance.now() - since };
      } else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  };
  watch(0, new Set());
  window.addEventListener('click', () => watch(performance.now(), new Set(document.querySelectorAll(CONTENT))), true);
})()`;

/** Before pages are opened whose painting is measured. */
export async function watchPainting(page: Page): Promise<void> {
  await page.addInitScript(WATCH);
}

/** Does something that opens a dashboard; when that was to be seen. */
export async function paintedAfter(page: Page, act: () => Promise<unknown>): Promise<Painted> {
  await page.evaluate('window.painted = undefined').catch(() => undefined);
  await act();
  const handle = await page.waitForFunction('window.painted', null, { timeout: 60_000 });
  return (await handle.jsonValue()) as Painted;
}

/** A dashboard that was loaded anew, and opened by a click on the bar of another one. */
export interface PaintedBoard {
  readonly board: string;
  readonly loaded: Painted;
  readonly clicked?: Painted;
}

/** Lines of a table, with how busy the machine is: figures to look at, not to pass or fail by. */
export function paintingTable(rows: readonly PaintedBoard[]): string {
  const cells = (...values: (number | string | undefined)[]) =>
    values.map((value) => (typeof value === 'number' ? value.toFixed(0) : (value ?? '-')).padStart(10)).join('');
  const load = loadavg().map((one) => one.toFixed(1));
  return [
    `Milliseconds until dashboards are seen; load average ${load.join(' ')}`,
    'loaded anew: frame, first panel, all in view; by a click: first panel, all in view',
    ...rows.map(
      ({ board, loaded, clicked }) =>
        board.padEnd(32) + cells(loaded.frameMs, loaded.firstMs, loaded.allMs, clicked?.firstMs, clicked?.allMs),
    ),
  ].join('\n');
}
