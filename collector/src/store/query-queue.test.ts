import { createQueryQueue } from './query-queue.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** Asks in the name of a client and notes in `order` when it is its turn. */
function asker(queue: ReturnType<typeof createQueryQueue>) {
  const order: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (client: string, signal?: AbortSignal): Promise<string> =>
    queue.take(client, signal).then(
      (end) => {
        order.push(client);
        ends.push(end);
        return 'ran';
      },
      (error: { code: string }) => error.code,
    );
  const endNext = async (): Promise<void> => {
    ends.shift()?.();
    await tick();
  };
  return { order, ask, endNext };
}

test('as many as there are slots run, the others in the order in which they came', async () => {
  const queue = createQueryQueue({ slots: 2, maxWaiting: 10 });
  const { order, ask, endNext } = asker(queue);
  for (const name of ['a', 'b', 'c', 'd', 'e']) void ask(name);
  await tick();
  expect([order, queue.status()]).toEqual([['a', 'b'], { running: 2, waiting: 3 }]);
  for (let i = 0; i < 5; i++) await endNext();
  expect([order, queue.status()]).toEqual([['a', 'b', 'c', 'd', 'e'], { running: 0, waiting: 0 }]);
});

test('a client with many queries does not keep another from its one', async () => {
  const queue = createQueryQueue({ slots: 2, maxWaiting: 100 });
  const { order, ask, endNext } = asker(queue);
  for (let i = 0; i < 20; i++) void ask('greedy');
  void ask('modest');
  void ask('other');
  await tick();
  for (let i = 0; i < 4; i++) await endNext();
  // Both have had their turn after two of the greedy one's, although twenty came before them.
  expect(order.slice(0, 5)).toEqual(['greedy', 'greedy', 'modest', 'greedy', 'other']);
  for (let i = 0; i < 20; i++) await endNext();
  expect(queue.status()).toEqual({ running: 0, waiting: 0 });
});

test('a full queue refuses whoever waits most', async () => {
  const queue = createQueryQueue({ slots: 1, maxWaiting: 4 });
  const { ask, endNext } = asker(queue);
  void ask('greedy');
  const greedy = [1, 2, 3, 4].map(() => ask('greedy'));
  expect(await ask('greedy')).toBe('query_busy');
  const modest = ask('modest');
  // The youngest of the greedy ones made room.
  expect(await greedy[3]).toBe('query_busy');
  expect(queue.status()).toEqual({ running: 1, waiting: 4 });
  for (let i = 0; i < 5; i++) await endNext();
  expect(await Promise.all([modest, ...greedy.slice(0, 3)])).toEqual(['ran', 'ran', 'ran', 'ran']);
});

test('who goes away while waiting leaves the queue and takes no slot', async () => {
  const queue = createQueryQueue({ slots: 1, maxWaiting: 10 });
  const { order, ask, endNext } = asker(queue);
  const gone = new AbortController();
  void ask('a');
  const waits = ask('b', gone.signal);
  void ask('c');
  await tick();
  gone.abort();
  expect(await waits).toBe('query_busy');
  expect(queue.status()).toEqual({ running: 1, waiting: 1 });
  await endNext();
  expect(order).toEqual(['a', 'c']);
  await endNext();
  const late = new AbortController();
  late.abort();
  expect(await ask('d', late.signal)).toBe('query_busy');
  expect(queue.status()).toEqual({ running: 0, waiting: 0 });
});

test('whatever comes, no more than the slots run, no more than the bound wait, and all are answered', async () => {
  const queue = createQueryQueue({ slots: 3, maxWaiting: 7 });
  let running = 0;
  const answers: Promise<string>[] = [];
  for (let i = 0; i < 300; i++) {
    const signal = i % 5 === 0 ? AbortSignal.timeout(1 + (i % 7)) : undefined;
    answers.push(
      queue.take(`client ${i % 4}`, signal).then(
        async (end) => {
          expect(++running).toBeLessThanOrEqual(3);
          await new Promise((resolve) => setTimeout(resolve, i % 3));
          running--;
          end();
          end();
          return 'ran';
        },
        (error: { code: string }) => error.code,
      ),
    );
    expect(queue.status().waiting).toBeLessThanOrEqual(7);
    if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const all = await Promise.all(answers);
  expect(new Set(all)).toEqual(new Set(['ran', 'query_busy']));
  expect(queue.status()).toEqual({ running: 0, waiting: 0 });
});

test('closing refuses those who wait', async () => {
  const queue = createQueryQueue({ slots: 1, maxWaiting: 10 });
  const { ask } = asker(queue);
  void ask('a');
  const waits = ask('b');
  queue.close();
  expect(await waits).toBe('store_unavailable');
});
