import type { NameEntry } from '@ringflow/contract';
import { createNameSaver } from './saver.ts';

const entry = (id: number, name = `name ${id}`): NameEntry => ({
  kind: 'as',
  exporter: '',
  id: String(id),
  name,
  description: '',
  speedBps: 0,
  source: 'enrich',
  attributes: {},
});

test('names wait while the store is down, and the latest of each is saved once it is up', async () => {
  const saved: NameEntry[] = [];
  const errors: unknown[] = [];
  let up: 'down' | 'failing' | 'up' = 'down';
  const saver = createNameSaver({
    save: (entries) => {
      if (up === 'down') return undefined;
      if (up === 'failing') return Promise.reject(new Error('disk full'));
      saved.push(...entries);
      return Promise.resolve();
    },
    onError: (error) => errors.push(error),
  });
  saver.add([entry(1), entry(2)]);
  await saver.flush();
  up = 'failing';
  saver.add([entry(2, 'renamed')]);
  await saver.flush();
  expect([saved, errors.length]).toEqual([[], 1]);
  up = 'up';
  await saver.flush();
  expect(saved).toEqual([entry(1), entry(2, 'renamed')]);
  await saver.flush();
  expect(saved).toHaveLength(2);
  saver.stop();
});

test('a burst is saved in statements of bounded size', async () => {
  const sizes: number[] = [];
  const saver = createNameSaver({
    save: async (entries) => void sizes.push(entries.length),
    onError: (error) => {
      throw error;
    },
  });
  saver.add(Array.from({ length: 12_000 }, (_, id) => entry(id)));
  await saver.flush();
  expect(sizes).toEqual([5000, 5000, 2000]);
  saver.stop();
});
