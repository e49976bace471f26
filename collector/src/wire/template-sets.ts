import { type DatagramInfo, LOSS } from './decoder.ts';
import type { TemplateField } from './template-fields.ts';
import type { Session } from './sessions.ts';
import type { DecodeState } from './state.ts';

/** Puts a definition in force and counts what came of it. */
export function defineTemplate(
  state: DecodeState,
  session: Session,
  id: number,
  scopeCount: number,
  fields: TemplateField[],
  nowMs: number,
  info: DatagramInfo,
): void {
  info.templatesSeen++;
  const result = state.templates.define(session, id, scopeCount, fields, nowMs, state.datagram);
  if (result === 'new') info.templates++;
  else if (result !== 'same') info.losses[LOSS[result]]!++;
}

/** True when nothing but zeros is left. */
export function isZero(bytes: Uint8Array, from: number, end: number): boolean {
  for (let i = from; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
