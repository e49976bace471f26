import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { CHROMIUM } from '../../../collector/src/http/testing/browser.ts';
import { AUTHORIZATION, type Grafana } from './grafana.ts';

/** Where pictures go, when somebody wants to look at them: `GRAFANA_PICTURES`. */
const PICTURES = process.env['GRAFANA_PICTURES'];

export interface GrafanaPage {
  readonly page: Page;
  /** Opens a path of Grafana as an administrator. */
  open(path: string): Promise<void>;
  /** A picture of the page, kept only where somebody asked for pictures. */
  picture(name: string): Promise<void>;
  /** Errors of scripts since the page was opened. */
  readonly errors: readonly string[];
}

export interface GrafanaBrowser {
  newPage(as?: 'admin' | 'nobody'): Promise<GrafanaPage>;
  close(): Promise<void>;
}

/** The system's Chromium, which asks nothing outside this machine. */
export async function startBrowser(grafana: Grafana): Promise<GrafanaBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: CHROMIUM as string,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    newPage: async (as = 'admin') => {
      const context = await browser.newContext({
        viewport: { width: 1400, height: 1000 },
        timezoneId: 'UTC',
        ...(as === 'admin' ? { extraHTTPHeaders: { authorization: AUTHORIZATION } } : {}),
      });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      return {
        page,
        errors,
        open: async (path) => {
          errors.length = 0;
          await page.goto(grafana.url + path, { waitUntil: 'load' });
        },
        picture: async (name) => {
          if (!PICTURES) return;
          mkdirSync(PICTURES, { recursive: true });
          await page.screenshot({ path: join(PICTURES, `${name}.png`) });
        },
      };
    },
    close: () => browser.close(),
  };
}
