import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createChannel, type Channel, type Methods } from './channel.ts';
import type { ProcessRole } from './index.ts';

/** Waits before a process that died is started again: at once, then longer and longer. */
const RESTART_DELAYS_MS = [100, 500, 1000, 2000, 5000, 10_000];
/** A process that ran this long has recovered: its next death is its first. */
const STABLE_MS = 30_000;
/** Pings until a process counts as hung. */
const PINGS = 6;
/** How many times longer it may take while it starts: opening a large database keeps its event loop from turning. */
const START_FACTOR = 10;

/** Every process answers this as long as its event loop turns, however busy it is otherwise. */
export interface Pingable {
  ping(): void;
}

export interface SupervisorOptions<Remote extends Pingable, RemoteEvents, LocalEvents> {
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
  /** A process that does not answer a ping for this long is hung: it is killed and started again. */
  readonly answerTimeoutMs: number;
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

export interface Supervisor<Remote extends Pingable, RemoteEvents, LocalEvents> {
  /** Starts the process; rejects when it is required and its first beginning fails. Later ones lead to a new start. */
  start(): Promise<void>;
  /** Ends the process in good order; one that has not ended after `timeoutMs` is killed. */
  stop(timeoutMs: number): Promise<void>;
  status(): SupervisorStatus;
  /** The channel of a process that is up, undefined otherwise. */
  channel(): Channel<Remote, RemoteEvents, LocalEvents> | undefined;
}

/** Keeps one child process running until `stop`. */
export function createSupervisor<Remote extends Pingable, RemoteEvents, LocalEvents>(
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

  /** Counts in turns of this process's own event loop: when main stood still itself, nobody else is to blame. */
  const watch = (process_: ChildProcess, channel: Channel<Remote, RemoteEvents, LocalEvents>): void => {
    let unanswered = 0;
    const timer = setInterval(() => {
      if (unanswered >= (current === channel ? PINGS : PINGS * START_FACTOR)) {
        options.failed(`did not answer for ${options.answerTimeoutMs} ms, killing it`);
        told = true;
        process_.kill('SIGKILL');
        return;
      }
      unanswered++;
      if (unanswered > 1) return;
      const answered = (): void => void (unanswered = 0);
      channel.call('ping', [] as never).then(answered, () => undefined);
    }, options.answerTimeoutMs / PINGS);
    timer.unref();
    process_.once('exit', () => clearInterval(timer));
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
    watch(process_, channel);
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
    stop: async (timeoutMs) => {
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
        options.failed(`did not end within ${Math.round(timeoutMs)} ms, killing it`);
        process_.kill('SIGKILL');
      }, timeoutMs);
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
