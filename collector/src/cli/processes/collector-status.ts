import type { Ledger } from '@ringflow/contract';
import type { InletStatus } from '../../inlet/index.ts';
import type { StoreStatus } from '../../store/index.ts';
import type { SupervisorStatus } from './supervisor.ts';

/** What the collector says about itself; `/api/v1/status` shows it. */
export interface CollectorStatus {
  readonly version: string;
  readonly startedMs: number;
  readonly processes: readonly SupervisorStatus[];
  readonly inlet: InletStatus | null;
  readonly store: StoreStatus | null;
  readonly ledger: Ledger;
}
