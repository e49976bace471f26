export { INLET_DEFAULTS, INLET_SCHEMA } from './config.ts';
export type { InletConfig } from './config.ts';
export type { ExportersStatus } from './exporters.ts';
export { createInlet } from './inlet.ts';
export type { Inlet, InletDeps, InletLog, InletStatus, InletWire, SegmentWriter } from './inlet.ts';
export type { LedgerStatus } from './ledger.ts';
export type { NameUpdate } from './names.ts';
export type { DatagramSink, Receiver, SocketStatus } from './receiver.ts';
export type { ExporterStatus } from './sessions.ts';
