import type { DataFrameJson, QueryResult } from '@ringflow/contract';
import type { Page, Response } from 'playwright-core';
import type { GrafanaPage } from './browser.ts';

/** A panel of a dashboard as it was written. */
export interface WrittenPanel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly object[];
}

export interface WrittenDashboard {
  readonly uid: string;
  readonly panels: readonly WrittenPanel[];
}

/** What the browser got for a panel, and what it shows. */
export interface ShownPanel extends WrittenPanel {
  readonly frames: readonly DataFrameJson[];
  /** What was wrong with its queries, if anything was. */
  readonly error: string | undefined;
  /** Text of the panel as it is on the screen, in one line. */
  readonly text: string;
}

/** So tall that every panel is in view and asks. */
const VIEW = { width: 1500, height: 3600 };

/** Opens a dashboard and takes what each of its panels was answered, and what it made of it. */
export async function showDashboard(
  { page, open }: GrafanaPage,
  { uid, panels }: WrittenDashboard,
  parameters: Readonly<Record<string, string | number>>,
): Promise<ShownPanel[]> {
  await page.setViewportSize(VIEW);
  const answers = new Map<number, Promise<Answer>>();
  const take = (response: Response): void => {
    if (!response.url().includes('/api/ds/query')) return;
    const panel = Number(response.request().headers()['x-panel-id']);
    if (panel > 0) answers.set(panel, response.json().then(answerOf));
  };
  page.on('response', take);
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  await open(`/d/${uid}?kiosk&${query.join('&')}`);
  const asking = panels.filter(({ targets = [] }) => targets.length > 0);
  try {
    await waitFor(page, () => asking.every(({ id }) => answers.has(id)));
    await page.waitForFunction('document.querySelector(\'[aria-label="Panel loading bar"]\') === null');
  } catch (error) {
    const silent = asking.filter(({ id }) => !answers.has(id)).map(({ title }) => title);
    throw new Error(`${uid}: no answer for ${silent.join(', ')}`, { cause: error });
  } finally {
    page.off('response', take);
  }
  await page.waitForTimeout(300);
  const shown: ShownPanel[] = [];
  for (const panel of asking) {
    const text = await page.locator(`[data-viz-panel-key="panel-${panel.id}"]`).first().innerText();
    shown.push({ ...panel, ...((await answers.get(panel.id)) as Answer), text: text.replace(/\s+/g, ' ') });
  }
  return shown;
}

async function waitFor(page: Page, isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited += 100) {
    if (waited > 60_000) throw new Error('Not within a minute');
    await page.waitForTimeout(100);
  }
}

type Answer = Pick<ShownPanel, 'frames' | 'error'>;

/** What all queries of a panel were answered. */
function answerOf({ results, message }: { results?: Record<string, QueryResult>; message?: string }): Answer {
  const all = Object.values(results ?? {});
  return {
    frames: all.flatMap(({ frames }) => frames ?? []),
    error: message ?? all.find(({ error }) => error !== undefined)?.error,
  };
}

/** Whether there is anything beside times. */
export function hasValues(frames: readonly DataFrameJson[]): boolean {
  return frames.some(({ schema, data }) =>
    schema.fields.some(({ type }, at) => type !== 'time' && data.values[at]?.some((value) => value !== null)),
  );
}

/** Values of a field of a frame by its name. */
export function valuesOf({ schema, data }: DataFrameJson, name: string): unknown[] {
  const index = schema.fields.findIndex((field) => field.name === name);
  if (index < 0) throw new Error(`No field ${name}, there are ${schema.fields.map((field) => field.name).join(', ')}`);
  return data.values[index] as unknown[];
}
