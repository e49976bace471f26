import type { Check, Finding } from './checks.ts';
import { count, size, some, span, words } from './words.ts';

/** Segments wait for `store.load_seconds`, 30 at most, and are loaded within a second or two. */
const WAITING_MS = 60_000;
/** Part of the spool's budget from which on it is worth a word. */
const SPOOL_PART = 0.5;

/** From the spool to the tables. */
export const STORING_CHECKS: readonly Check[] = [
  {
    id: 'disk',
    title: 'Disk',
    find: ({ host, collector, config }) => {
      const disk = collector?.status.details.disk ?? host?.disk;
      const findings: Finding[] = [];
      if (host?.dataProblem && !collector)
        findings.push({
          status: 'fail',
          message: `The data directory cannot be written to: ${host.dataProblem}`,
          mend: 'Give it to the user that runs the collector, or set data_dir (RINGFLOW_DATA) to another folder',
        });
      if (!disk) return findings;
      const limits = collector?.status.details.limits ?? {
        storeBytes: config.store.max_bytes,
        spoolFreeBytes: config.spool.min_free_bytes,
      };
      const isEmbedded = collector ? collector.status.store.engine === 'embedded' : config.store.url === '';
      const usedBytes = (collector?.status.store.tables ?? []).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const needBytes = isEmbedded ? Math.max(0, limits.storeBytes - usedBytes) : 0;
      if (disk.freeBytes < limits.spoolFreeBytes)
        findings.push({
          status: 'fail',
          message: `${size(disk.freeBytes)} free in ${disk.directory}, and ${size(limits.spoolFreeBytes)} must stay free: records are dropped`,
          mend: 'Make room, or lower store.max_bytes so that old data is dropped earlier',
        });
      else if (disk.freeBytes - limits.spoolFreeBytes < needBytes)
        findings.push({
          status: 'warn',
          message: `${size(disk.freeBytes)} free in ${disk.directory}, but the tables may still grow by ${size(needBytes)}`,
          mend: `Lower store.max_bytes (now ${size(limits.storeBytes)}), or make room`,
        });
      return findings.length > 0
        ? findings
        : [{ status: 'ok', message: `${size(disk.freeBytes)} free in ${disk.directory}` }];
    },
  },
  {
    id: 'store',
    title: 'Store',
    find: ({ collector }) => {
      if (!collector) return [];
      const { open, lastError, engine, tables } = collector.status.store;
      const mend =
        engine === 'remote'
          ? 'Check that the server of store.url runs and takes this user; what is received waits in the spool'
          : 'Look at the log of the collector; what is received waits in the spool';
      if (lastError) return [{ status: 'fail', message: `The store cannot load: ${lastError}`, mend }];
      if (!open) return [{ status: 'fail', message: `The store (${engine}) is not open`, mend }];
      const rows = tables.find(({ table }) => table === 'flows')?.rows;
      return [{ status: 'ok', message: `Open (${engine})${rows === undefined ? '' : `, ${count(rows, 'record')}`}` }];
    },
  },
  {
    id: 'spool',
    title: 'Spool',
    find: ({ collector, host, config }) => {
      if (!collector) {
        if (!host?.spool || host.spool.segments === 0) return [];
        return [
          {
            status: 'ok',
            message: `${count(host.spool.segments, 'segment')} (${size(host.spool.sizeBytes)}) wait for the next start`,
          },
        ];
      }
      const { waitingSegments, waitingRows, waitingBytes } = collector.status.spool;
      const limitBytes = collector.status.details.limits?.spoolBytes ?? config.spool.max_bytes;
      const oldestMs = (collector.status.details.oldestWaitingSeconds ?? 0) * 1000;
      const text = `${count(waitingRows, 'record')} (${size(waitingBytes)}) in ${count(waitingSegments, 'segment')} wait for the store`;
      if (waitingBytes > limitBytes * SPOOL_PART)
        return [
          {
            status: waitingBytes > limitBytes * 0.9 ? 'fail' : 'warn',
            message: `${text}: ${Math.round((waitingBytes / limitBytes) * 100)} % of what the spool may hold`,
            mend: 'Mend the store before the spool is full; raise spool.max_bytes to win time',
          },
        ];
      if (oldestMs > WAITING_MS)
        return [
          {
            status: 'warn',
            message: `${text}, the oldest for ${span(oldestMs)}: new records are not in any answer yet`,
            mend: 'Look at the store; it may be busy with what came in while it was away',
          },
        ];
      return [{ status: 'ok', message: waitingSegments === 0 ? 'Nothing waits for the store' : text }];
    },
  },
  {
    id: 'ledger',
    title: 'Loss ledger',
    find: ({ collector }) => {
      if (!collector) return [];
      const { received, stored, waiting, dropped, difference } = collector.status.ledger;
      const findings: Finding[] = [];
      if (difference !== 0)
        findings.push({
          status: 'fail',
          message: `The ledger is off by ${count(difference, 'record')} (received ${received}, stored ${stored}, waiting ${waiting})`,
          mend: 'Report it as a bug, with the answer of /api/v1/status',
        });
      const lost = dropped.filter(({ records }) => records > 0);
      if (lost.length > 0)
        findings.push({
          status: 'warn',
          message: `Dropped since the data directory was made: ${some(lost.map(({ records, reason, exporter }) => `${count(records, 'record')} of ${exporter} (${words(reason)})`))}`,
          mend: 'Give the spool more room (spool.max_bytes, free disk), so that it lasts while the store is away',
        });
      if (findings.length > 0) return findings;
      return [{ status: 'ok', message: `${count(received, 'record')} received, all of them stored or waiting` }];
    },
  },
];
