import type { ExporterInfo, ReadyResponse, StatusResponse } from '@ringflow/contract';
import type { Config, ConfigProblem } from '../../config/index.ts';
import type { Firewall } from './firewall.ts';

/** What a running collector says about itself. */
export interface CollectorAnswers {
  readonly status: StatusResponse;
  readonly exporters: readonly ExporterInfo[];
  readonly ready: ReadyResponse;
}

/** A port of the configuration, tried out because no collector answers. */
export interface PortTrial {
  readonly what: 'UDP' | 'TCP';
  /** As it is configured. */
  readonly endpoint: string;
  readonly port: number;
  /** Code of the system's refusal, null when the port can be opened. */
  readonly refusal: string | null;
  /** Who has it, when the system says so. */
  readonly holder: string | null;
}

/** What can be seen on this machine; null in the facts when the collector runs on another one. */
export interface HostFacts {
  /** Only tried when no collector answers. */
  readonly trials: readonly PortTrial[];
  /** UDP ports that are open now, null where the system does not say. */
  readonly openUdpPorts: readonly number[] | null;
  /** `net.core.rmem_max`, null where there is none. */
  readonly receiveBufferLimit: number | null;
  /** This process may go past that limit. */
  readonly isRoot: boolean;
  readonly firewall: Firewall;
  /** File system of the data directory, or of its nearest parent that exists. */
  readonly disk: { readonly directory: string; readonly freeBytes: number; readonly totalBytes: number } | null;
  /** Why the data directory cannot be written to, null when it can. */
  readonly dataProblem: string | null;
  /** Segments in the spool and their bytes; counted only when no collector answers. */
  readonly spool: { readonly segments: number; readonly sizeBytes: number } | null;
  /** A ringflow that works in the data directory, by its lock. */
  readonly mainPid: number | null;
  /** Default gateways of this machine (text form): what traffic through a container's bridge seems to come from. */
  readonly gateways: readonly string[];
}

/** Everything that the checks look at. */
export interface DoctorFacts {
  readonly url: string;
  readonly nowMs: number;
  /** An exporter is silent after this long without a datagram. */
  readonly silentAfterMs: number;
  readonly config: Config;
  readonly configFile: string | undefined;
  readonly configProblems: readonly ConfigProblem[];
  /** Null when it does not answer, for the reason below. */
  readonly collector: CollectorAnswers | null;
  readonly refusal: Refusal | null;
  readonly host: HostFacts | null;
}

/** Why the collector did not answer. */
export interface Refusal {
  /** Nobody listens, somebody else answers, the token is wrong, it answers an error, TLS does not come about. */
  readonly kind: 'unreachable' | 'stranger' | 'unauthorized' | 'error' | 'untrusted';
  readonly message: string;
}
