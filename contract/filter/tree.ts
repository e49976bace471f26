import type { ErrorCode, TextSpan } from '../errors.ts';
import type { FilterField } from './fields.ts';

/** A parsed filter; every node knows which characters it came from. */
export type FilterNode = GroupNode | NotNode | ConditionNode;

export interface GroupNode {
  readonly kind: 'and' | 'or';
  readonly items: readonly FilterNode[];
  readonly span: TextSpan;
}

export interface NotNode {
  readonly kind: 'not';
  readonly item: FilterNode;
  readonly span: TextSpan;
}

/**
 * `field operator value`. Negated spellings (`!=`, `not in`, `!~`) are a `not` around the plain condition: for an
 * either-side field that says "neither side", as nfdump's `not port 80` does.
 */
export interface ConditionNode {
  readonly kind: 'condition';
  readonly field: FilterField;
  readonly operator: FilterOperator;
  /** One value, or the members of a list: any of them, except that `contains` wants all of them in this order. */
  readonly values: readonly FilterValue[];
  readonly span: TextSpan;
}

export const FILTER_OPERATORS = ['=', '<', '<=', '>', '>=', 'in', 'like', 'ilike', '~', 'has', 'contains'] as const;
export type FilterOperator = (typeof FILTER_OPERATORS)[number];

/** A value as the field's type reads it. */
export type FilterValue =
  | { readonly kind: 'number'; readonly value: number }
  /** Both ends included. */
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  /** Sixteen bytes each, both ends included; a single address has equal ends. */
  | { readonly kind: 'addresses'; readonly from: Uint8Array; readonly to: Uint8Array }
  /** Nanoseconds since the epoch. */
  | { readonly kind: 'time'; readonly ns: bigint }
  | { readonly kind: 'text'; readonly text: string }
  /** Name of an exporter, interface or AS, to be looked up when the filter is compiled. */
  | { readonly kind: 'name'; readonly text: string }
  /** Another field of the same kind (`src_as = dst_as`). */
  | { readonly kind: 'field'; readonly field: FilterField };

/** Why a text is not a filter. Returned, never thrown. */
export interface FilterError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly position: TextSpan;
  /** What could stand there instead. */
  readonly expected: readonly string[];
  readonly hint?: string | undefined;
}

export type FilterResult =
  | { readonly tree: FilterNode | null; readonly error?: undefined }
  | { readonly error: FilterError; readonly tree?: undefined };
