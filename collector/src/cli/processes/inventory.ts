import type { NamesConfig } from '../../config/index.ts';
import type { NameUpdate } from '../../inlet/index.ts';
import type { InterfaceName, NameLookup } from '../../query/index.ts';

/** What is known by name: the configuration's names, what exporters say, what the store kept from earlier. */
export interface Inventory extends NameLookup {
  /** Takes up what is new; true when something changed. */
  update(updates: readonly NameUpdate[]): boolean;
  interfaces(): readonly InterfaceName[];
  exporterNames(): ReadonlyMap<string, string>;
}

/** Names in memory, looked up by every query. */
export function createInventory(config: NamesConfig): Inventory {
  const exporters = new Map(Object.entries(config.exporters));
  const interfaces = new Map<string, InterfaceName>();
  const keyOf = (exporter: string, index: number): string => `${exporter} ${index}`;
  const configured = (exporter: string, index: number): string | undefined =>
    config.interfaces[exporter]?.[String(index)];

  for (const [exporter, names] of Object.entries(config.interfaces)) {
    for (const [index, name] of Object.entries(names)) {
      interfaces.set(keyOf(exporter, Number(index)), {
        exporter,
        index: Number(index),
        name,
        description: '',
        speedBps: 0,
      });
    }
  }

  function update(updates: readonly NameUpdate[]): boolean {
    let changed = false;
    for (const { kind, exporter, id, name, description, speedBps } of updates) {
      if (kind !== 'interface') continue;
      const index = Number(id);
      const before = interfaces.get(keyOf(exporter, index));
      // A source that does not say something does not take away what another one said.
      const after: InterfaceName = {
        exporter,
        index,
        name: configured(exporter, index) ?? (name || before?.name || ''),
        description: description || before?.description || '',
        speedBps: speedBps || before?.speedBps || 0,
      };
      if (
        before &&
        before.name === after.name &&
        before.description === after.description &&
        before.speedBps === after.speedBps
      )
        continue;
      interfaces.set(keyOf(exporter, index), after);
      changed = true;
    }
    return changed;
  }

  return {
    update,
    interfaces: () => [...interfaces.values()],
    exporterNames: () => exporters,
    exporter: (address) => exporters.get(address),
    interface: (exporter, index) => interfaces.get(keyOf(exporter, index)),
    as: () => undefined,
    exportersWhere: (matches) => [...exporters].filter(([, name]) => matches(name)).map(([address]) => address),
    interfacesWhere: (matches) =>
      [...interfaces.values()].filter(
        ({ name, description }) => (name !== '' && matches(name)) || (description !== '' && matches(description)),
      ),
    asWhere: () => [],
  };
}
