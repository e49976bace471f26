import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServiceNotifier } from './service-notifier.ts';
import { createFolder, until } from '../testing/collector.ts';

/** Prints every datagram that comes to a socket of the family AF_UNIX, as JSON with the time of CLOCK_MONOTONIC. */
const LISTENER = `
import json, socket, sys, time
address = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + address[1:] if address.startswith("@") else address)
print("ready", flush=True)
while True:
    text = s.recv(65536).decode()
    print(json.dumps({"text": text, "us": time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}), flush=True)
`;

interface Message {
  readonly text: string;
  readonly us: number;
}

interface Listener {
  messages(): Message[];
  close(): void;
}

async function listen(address: string): Promise<Listener | null> {
  const child: ChildProcess = spawn('python3', ['-c', LISTENER, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  const absent = new Promise<boolean>((resolve) => child.once('error', () => resolve(true)));
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const messages = (): Message[] =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Message);
  const isReady = until(async () => output.includes('ready'), 10_000, 'the listener').then(() => false);
  if (await Promise.race([absent, isReady])) {
    process.stderr.write('service manager: python3 not installed; its test is skipped\n');
    return null;
  }
  return {
    messages,
    close: () => void child.kill(),
  };
}

describe.each(['a path', 'an abstract name'])('a service manager that listens at %s', (kind) => {
  const folder = createFolder();
  let listener: Listener | null;
  let address: string;
  beforeAll(async () => {
    address = kind === 'a path' ? `${folder.path}/notify` : `@ringflow-test-${randomUUID()}`;
    listener = await listen(address);
  });
  afterAll(() => {
    listener?.close();
    folder.remove();
  });

  test('is told everything, and fed', async () => {
    if (!listener) return;
    const problems: Error[] = [];
    const notifier = await createServiceNotifier({ notifySocket: address, watchdogUsec: 100_000 }, (error) =>
      problems.push(error),
    );
    notifier.ready();
    notifier.status('receiving\non UDP 2055');
    notifier.status('receiving\non UDP 2055');
    notifier.reloading();
    notifier.stopping();
    const isBeat = ({ text }: Message): boolean => text === 'WATCHDOG=1';
    const messages = await until(
      async () => {
        const all = (listener as Listener).messages();
        return all.filter(isBeat).length >= 3 && all;
      },
      10_000,
      'three signs of life',
    );
    notifier.close();
    const said = messages.filter((message) => !isBeat(message));
    expect(said.map(({ text }) => text.replace(/\d{6,}/, 'N'))).toEqual([
      'READY=1',
      'STATUS=receiving on UDP 2055',
      'RELOADING=1\nMONOTONIC_USEC=N',
      'STOPPING=1',
    ]);
    const reload = said.find(({ text }) => text.startsWith('RELOADING'));
    const saidUs = Number(/MONOTONIC_USEC=(\d+)/.exec(reload?.text ?? '')?.[1]);
    // The same clock as everybody else's, and not long ago.
    expect((reload?.us ?? 0) - saidUs).toBeGreaterThanOrEqual(0);
    expect((reload?.us ?? 0) - saidUs).toBeLessThan(5_000_000);
    const beats = messages.filter(isBeat).map(({ us }) => us);
    expect(Math.min(...beats.slice(1).map((us, index) => us - (beats[index] as number)))).toBeGreaterThan(20_000);
    expect(problems).toEqual([]);
  });
});

test('a manager that is not there is told once, and the service goes on', async () => {
  const problems: string[] = [];
  const notifier = await createServiceNotifier({ notifySocket: '/nowhere/notify' }, ({ message }) =>
    problems.push(message),
  );
  notifier.ready();
  notifier.status('well');
  notifier.close();
  expect(problems).toEqual(['the service manager cannot be told (errno 2)']);
  await createServiceNotifier({ notifySocket: 'relative' }, ({ message }) => problems.push(message));
  expect(problems[1]).toContain('neither a path nor an @name');
});

test('without a manager nothing is opened', async () => {
  const notifier = await createServiceNotifier({}, (error) => {
    throw error;
  });
  notifier.ready();
  notifier.close();
});
