import { startBrowser, type GrafanaBrowser } from './browser.ts';
import { addSource, type FlowSource } from './data-source.ts';
import { startFlowCollector, TOKEN, type FlowCollector, type MadeUpFlow } from './flows.ts';
import { startGrafana, type Grafana } from './grafana.ts';

/** What most tests here stand on: a Grafana, a browser for it, and a collector that it has as a data source. */
export interface Stage<C = FlowCollector> {
  readonly grafana: Grafana;
  readonly collector: C;
  readonly browser: GrafanaBrowser;
  readonly source: FlowSource;
}

interface StageCollector {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Sets the stage before the tests of a `describe`, and clears it after them. Its parts are there from then on, not before.
 *
 * @param name of the data source
 * @param flows that the collector has when the tests begin
 * @param options of its `ringflow.yml`, besides those that every test needs
 */
export function useStage(name: string, flows: readonly MadeUpFlow[] = [], options = ''): Stage {
  const stage = useStageWith(name, () => startFlowCollector(options), TOKEN);
  beforeAll(async () => {
    if (flows.length > 0) await stage.collector.send(flows);
  });
  return stage;
}

/** The same with a collector of another kind. */
export function useStageWith<C extends StageCollector>(
  name: string,
  startCollector: () => Promise<C>,
  token?: string,
): Stage<C> {
  const stage: { -readonly [part in keyof Stage<C>]?: Stage<C>[part] } = {};
  beforeAll(async () => {
    stage.collector = await startCollector();
    stage.grafana = await startGrafana();
    const { url } = stage.collector;
    stage.source = await addSource(stage.grafana, name, { url, ...(token === undefined ? {} : { token }) });
    stage.browser = await startBrowser(stage.grafana);
  });
  afterAll(async () => {
    await stage.browser?.close();
    await stage.source?.remove().catch(() => undefined);
    await stage.grafana?.stop();
    await stage.collector?.stop();
  });
  return stage as Stage<C>;
}
