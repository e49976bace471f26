import { EventEmitter } from 'node:events';
import { createChannel, type Port } from './channel.ts';

/** Two ports joined by structured clone, as Node's IPC does with `serialization: 'advanced'`. */
function createPair(): [Port & EventEmitter & { connected: boolean }, Port & EventEmitter & { connected: boolean }] {
  const make = () =>
    Object.assign(new EventEmitter(), {
      connected: true,
      send: (_message: unknown, _done?: (error: Error | null) => void): boolean => true,
    });
  const [a, b] = [make(), make()];
  const join = (from: typeof a, to: typeof a): void => {
    from.send = (message, done) => {
      const copy = structuredClone(message);
      setImmediate(() => to.emit('message', copy));
      done?.(null);
      return true;
    };
  };
  join(a, b);
  join(b, a);
  return [a, b];
}

interface Remote {
  add(a: number, b: number): number;
  fail(): never;
  wait(): string;
}

describe('channel', () => {
  test('calls are answered, errors keep code, hint and position', async () => {
    const [main, child] = createPair();
    createChannel(child, {
      add: (a: number, b: number) => a + b,
      fail: () => {
        throw Object.assign(new Error('no'), { code: 'filter_syntax', hint: 'Write yes', position: 3 });
      },
    });
    const channel = createChannel<Remote>(main);
    await expect(channel.call('add', [2, 3])).resolves.toBe(5);
    await expect(channel.call('fail', [])).rejects.toMatchObject({
      message: 'no',
      code: 'filter_syntax',
      hint: 'Write yes',
      position: 3,
    });
    await expect(channel.call('wait', [])).rejects.toThrow('No method wait');
  });

  test('an aborted call stops the work on the other side', async () => {
    const [main, child] = createPair();
    let aborted = false;
    createChannel(child, {
      wait: (signal: AbortSignal) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('stopped'));
          }),
        ),
    });
    const channel = createChannel<Remote>(main);
    const abort = new AbortController();
    const call = channel.call('wait', [], abort.signal);
    setImmediate(() => abort.abort());
    await expect(call).rejects.toThrow('stopped');
    expect(aborted).toBe(true);
    await expect(channel.call('wait', [], abort.signal)).rejects.toBeDefined();
  });

  test('when the other side goes away, what waits is rejected and what runs is aborted', async () => {
    const [main, child] = createPair();
    let aborted = false;
    createChannel(child, {
      wait: (signal: AbortSignal) => new Promise(() => signal.addEventListener('abort', () => (aborted = true))),
    });
    const channel = createChannel<Remote, object, { tick: number }>(main);
    const call = channel.call('wait', []);
    setImmediate(() =>
      setImmediate(() => {
        main.connected = child.connected = false;
        main.emit('disconnect');
        child.emit('disconnect');
      }),
    );
    await expect(call).rejects.toThrow('The other process is gone');
    expect(aborted).toBe(true);
    channel.emit('tick', 1);
    await expect(channel.call('wait', [])).rejects.toThrow('The other process is gone');
  });

  test('events reach every listener in order', async () => {
    const [main, child] = createPair();
    const seen: number[] = [];
    createChannel<object, { tick: number }>(child).on('tick', (value) => seen.push(value));
    const channel = createChannel<object, object, { tick: number }>(main);
    for (const value of [1, 2, 3]) channel.emit('tick', value);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen).toEqual([1, 2, 3]);
  });
});
