import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createChannel, type Channel, type Methods } from './channel.ts';
import type { ProcessRole } from './index.ts';

/** Waits before a process that died is started again: at once, then longer and longer. */
const RESTART_DELAYS_MS = [100, 500, 1000, 2000, 5000, 10_000];
/** A process that ran this long has recovered: its next death is its first. */
const STABLE_MS = 30_000;

export interface SupervisorOptions<Remote, RemoteEvents, LocalEvents> {
  readonly role: ProcessRole;
  /** The bundle that is forked. */
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
  /** Methods that the child may call. */
  readonly handlers?: Methods;
  /** Called with each new process's channel, before it is started: subscribe here. */
  connect(channel: Channel<Remote, RemoteEvents, LocalEvents>): void;
  /** Asks the child to begin; it is up when this resolves. */
  begin(channel: Channel<Remote, RemoteEvents, LocalEvents>): Promise<void>;
  /** Asks the child to end in good order. */
  end(channel: Channel<Remote, RemoteEvents, LocalEvents>): Promise<void>;
  /** False: a first beginning that fails is retried like every later one. */
  readonly required: boolean;
  /** Longest wait for `end`; then the process is killed. */
  readonly endTimeoutMs: number;
  /** After each change of {@link SupervisorStatus}. */
  changed(status: SupervisorStatus): void;
  /** The process died, or could not begin, and will be started again. */
  failed(what: string, error?: Error): void;
}

export interface SupervisorStatus {
  readonly role: ProcessRole;
  readonly state: 'starting' | 'up' | 'down' | 'stopped';
  readonly pid?: number;
  readonly restarts: number;
  /** Why it could not begin, the last time it could not. */
  readonly error?: string;
}

export interface Supervisor<Remote, RemoteEvents, LocalEvents> {
  /** Starts the process; rejects when it is required and its first beginning fails. Later ones lead to a new start. */
  start(): Promise<void>;
  stop(): Promise<void>;
  status(): SupervisorStatus;
  /** The channel of a process that is up, undefined otherwise. */
  channel(): Channel<Remote, RemoteEvents, LocalEvents> | undefined;
}

/** Keeps one child process running until `stop`. */
export function createSupervisor<Remote, RemoteEvents, LocalEvents>(
  options: SupervisorOptions<Remote, RemoteEvents, LocalEvents>,
): Supervisor<Remote, RemoteEvents, LocalEvents> {
  const { role } = options;
  let status: SupervisorStatus = { role, state: 'down', restarts: 0 };
  let child: ChildProcess | undefined;
  let current: Channel<Remote, RemoteEvents, LocalEvents> | undefined;
  let stopping = false;
  let attempt = 0;
  let told = false;
  let startedMs = 0;

  const become = (change: Partial<SupervisorStatus>): void => {
    status = { ...status, ...change };
    options.changed(status);
  };

  /** Ends a process whose failure was told already. */
  const kill = (): void => {
    told = true;
    child?.kill('SIGKILL');
  };

  const spawn = async (): Promise<void> => {
    startedMs = Date.now();
    const process_ = fork(options.entry, ['process', role], {
      serialization: 'advanced',
      env: options.env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child = process_;
    const channel = createChannel<Remote, RemoteEvents, LocalEvents>(process_, options.handlers);
    become({ state: 'starting', ...(process_.pid === undefined ? {} : { pid: process_.pid }) });
    process_.on('error', (error) => options.failed('cannot talk to the process', error));
    process_.once('exit', (code, signal) => {
      child = undefined;
      current = undefined;
      const { pid: _, ...rest } = status;
      status = rest;
      if (stopping) become({ state: 'stopped' });
      else {
        become({ state: 'down' });
        if (!told) options.failed(`process ended (${signal ?? `exit code ${code}`})`);
        told = false;
        void restart();
      }
    });
    options.connect(channel);
    await options.begin(channel);
    if (child !== process_) throw new Error('The process ended while it was starting');
    current = channel;
    become({ state: 'up' });
  };

  const restart = async (): Promise<void> => {
    if (Date.now() - startedMs > STABLE_MS) attempt = 0;
    await sleep(RESTART_DELAYS_MS[Math.min(attempt, RESTART_DELAYS_MS.length - 1)], undefined, { ref: false });
    attempt += 1;
    if (stopping || child) return;
    become({ restarts: status.restarts + 1 });
    try {
      await spawn();
    } catch (error) {
      become({ error: (error as Error).message });
      options.failed('cannot start', error as Error);
      // The exit starts the next round.
      kill();
    }
  };

  return {
    start: async () => {
      try {
        await spawn();
      } catch (error) {
        if (options.required) stopping = true;
        else options.failed('cannot start', error as Error);
        kill();
        if (options.required) throw error;
      }
    },
    stop: async () => {
      stopping = true;
      const process_ = child;
      if (!process_) {
        become({ state: 'stopped' });
        return;
      }
      const exited = new Promise<void>((resolve) => process_.once('exit', () => resolve()));
      const ended = current
        ? options.end(current).catch((error: Error) => options.failed('did not end in good order', error))
        : Promise.resolve();
      const timer = setTimeout(() => {
        options.failed(`did not end within ${options.endTimeoutMs} ms, killing it`);
        process_.kill('SIGKILL');
      }, options.endTimeoutMs);
      await Promise.race([ended, exited]);
      // The child exits by itself when the channel closes.
      if (process_.connected) process_.disconnect();
      await exited;
      clearTimeout(timer);
    },
    status: () => status,
    channel: () => current,
  };
}
