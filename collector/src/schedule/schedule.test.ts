import { setTimeout as sleep } from 'node:timers/promises';
import { validate } from 'node-cron';
import { createSchedule, JOBS, type JobStatus } from './index.ts';

describe('schedule', () => {
  test('every job has a time that node-cron understands', () => {
    for (const { cron } of JOBS) expect(validate(cron)).toBe(true);
  });

  test('a job does not overlap itself, and a failure is kept and counted', async () => {
    let calls = 0;
    const ran: JobStatus[] = [];
    const schedule = createSchedule({
      work: {
        threats: async () => undefined,
        scoreboard: async () => undefined,
        consolidation: async () => undefined,
        retention: async () => {
          calls += 1;
          await sleep(20);
          if (calls === 2) throw new Error('disk is gone');
        },
      },
      now: () => 1_000_000,
      noticed: () => undefined,
      ran: (status) => ran.push(status),
    });
    await Promise.all([schedule.runNow('retention'), schedule.runNow('retention')]);
    expect(calls).toBe(1);
    await schedule.runNow('retention');
    expect(schedule.status()).toEqual([
      {
        job: 'retention',
        running: false,
        lastSuccessMs: 1_000_000,
        lastDurationMs: 0,
        failures: 1,
        lastError: 'disk is gone',
      },
      { job: 'consolidation', running: false, lastSuccessMs: 0, lastDurationMs: 0, failures: 0 },
      { job: 'scoreboard', running: false, lastSuccessMs: 0, lastDurationMs: 0, failures: 0 },
      { job: 'threats', running: false, lastSuccessMs: 0, lastDurationMs: 0, failures: 0 },
    ]);
    expect(ran.map(({ failures }) => failures)).toEqual([0, 1]);
  });

  test('stop waits for the run that goes on', async () => {
    let finished = false;
    const schedule = createSchedule({
      work: {
        threats: async () => undefined,
        scoreboard: async () => undefined,
        consolidation: async () => undefined,
        retention: async () => {
          await sleep(30);
          finished = true;
        },
      },
      now: () => 0,
      noticed: () => undefined,
    });
    schedule.start();
    void schedule.runNow('retention');
    await schedule.stop();
    expect(finished).toBe(true);
  });

  test('a job that takes longer than its interval is not started again, and nothing is printed about it', async () => {
    const printed = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
      jest.spyOn(console, name).mockImplementation(() => undefined),
    );
    jest.useFakeTimers();
    try {
      let calls = 0;
      let finish = (): void => undefined;
      const schedule = createSchedule({
        work: {
          threats: async () => undefined,
          scoreboard: async () => undefined,
          retention: async () => undefined,
          consolidation: async () => {
            calls += 1;
            await new Promise<void>((resolve) => (finish = resolve));
          },
        },
        now: () => Date.now(),
        noticed: () => undefined,
      });
      schedule.start();
      await jest.advanceTimersByTimeAsync(45_000);
      expect(calls).toBe(1);
      finish();
      await jest.advanceTimersByTimeAsync(10_000);
      expect(calls).toBe(2);
      finish();
      await schedule.stop();
      for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    } finally {
      jest.useRealTimers();
      for (const spy of printed) spy.mockRestore();
    }
  });
});
