import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A Chromium of the system, undefined where there is none. */
export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** A page in a real browser. */
export interface BrowserPage {
  /** Value of an expression, awaited when it is a promise; throws what the page throws. */
  evaluate(expression: string): Promise<unknown>;
  /** The whole page as a PNG. */
  screenshot(): Promise<Buffer>;
  /** What the browser complained about: violated policies, failed requests, errors of scripts. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export interface BrowserOptions {
  /** Pixels; below 600 it is a phone. */
  readonly width: number;
  readonly scheme: 'light' | 'dark';
}

type Answer = Readonly<Record<string, unknown>>;

/** Opens a URL, through the browser's debugging protocol over a pipe: no port, no package. */
export async function openPage(url: string, { width, scheme }: BrowserOptions): Promise<BrowserPage> {
  const profile = mkdtempSync(join(tmpdir(), 'ringflow-chromium-'));
  const child = spawn(
    CHROMIUM as string,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
    ],
    {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      // A group of its own: its helpers would go on writing to the profile.
      detached: true,
      // What it leaves when it is killed goes with the profile.
      env: { ...process.env, TMPDIR: profile },
    },
  );
  const closed = new Promise((resolve) => child.once('close', resolve));
  const input = child.stdio[3] as NodeJS.WritableStream;
  const output = child.stdio[4] as NodeJS.ReadableStream;
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  const complaints: string[] = [];
  let lastId = 0;
  let rest = '';

  output.on('data', (chunk: Buffer) => {
    const texts = (rest + chunk.toString()).split('\0');
    rest = texts.pop() as string;
    for (const text of texts) take(JSON.parse(text) as Answer);
  });
  input.on('error', () => undefined);

  function take({ id, method, params, result, error }: Answer): void {
    if (typeof id === 'number') {
      const { resolve, reject } = waiting.get(id) ?? {};
      waiting.delete(id);
      if (error) reject?.(new Error(JSON.stringify(error)));
      else resolve?.(result as Answer);
    } else if (method === 'Log.entryAdded') {
      const { level, text } = (params as { entry: { level: string; text: string } }).entry;
      if (level !== 'verbose') complaints.push(text);
    } else if (method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params));
  }

  function send(method: string, params: object, sessionId?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      input.write(
        `${JSON.stringify({ id: lastId, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`,
      );
    });
  }

  async function close(): Promise<void> {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await closed;
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  try {
    const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
    const session = (await send('Target.attachToTarget', { targetId, flatten: true }))['sessionId'] as string;
    const evaluate = async (expression: string): Promise<unknown> => {
      const { result, exceptionDetails } = await send(
        'Runtime.evaluate',
        { expression, awaitPromise: true, returnByValue: true },
        session,
      );
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value?: unknown }).value;
    };
    await send('Log.enable', {}, session);
    await send('Runtime.enable', {}, session);
    await send(
      'Emulation.setDeviceMetricsOverride',
      { width, height: 800, deviceScaleFactor: 1, mobile: width < 600 },
      session,
    );
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await send('Emulation.setEmulatedMedia', { features }, session);
    await send('Page.navigate', { url }, session);
    while ((await evaluate("location.href !== 'about:blank' && document.readyState")) !== 'complete') await sleep(50);
    return {
      evaluate,
      screenshot: async () => {
        const shot = await send('Page.captureScreenshot', { captureBeyondViewport: true }, session);
        return Buffer.from(shot['data'] as string, 'base64');
      },
      complaints,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
