import { ENVIRONMENT_CHECKS } from './checks-environment.ts';
import { EXPORTER_CHECKS } from './checks-exporters.ts';
import type { DoctorFacts } from './facts.ts';
import { RECEIVING_CHECKS } from './checks-receiving.ts';
import { STORING_CHECKS } from './checks-storing.ts';

export const SEVERITIES = ['ok', 'warn', 'fail'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a check found. */
export interface Finding {
  readonly status: Severity;
  /** One sentence without a full stop, with the values. */
  readonly message: string;
  /** What to do about it; begins with a verb. */
  readonly mend?: string;
}

/** One question that the doctor asks. */
export interface Check {
  readonly id: string;
  /** What is looked at, in two or three words. */
  readonly title: string;
  /** Findings, the first ones first; nothing when the question makes no sense here. */
  find(facts: DoctorFacts): readonly Finding[];
}

/** All checks, in the order in which a datagram meets what they look at. */
export const CHECKS: readonly Check[] = [
  ...ENVIRONMENT_CHECKS,
  ...RECEIVING_CHECKS,
  ...EXPORTER_CHECKS,
  ...STORING_CHECKS,
];

/** A finding with the check that made it. */
export interface Diagnosis extends Finding {
  readonly check: string;
  readonly title: string;
}

/** Runs all checks. */
export function diagnose(facts: DoctorFacts): Diagnosis[] {
  return CHECKS.flatMap(({ id, title, find }) => find(facts).map((finding) => ({ check: id, title, ...finding })));
}

/** The worst of all findings. */
export function worstOf(findings: readonly Finding[]): Severity {
  return SEVERITIES[Math.max(0, ...findings.map(({ status }) => SEVERITIES.indexOf(status)))] as Severity;
}
