export {
  AD_HOC_OPERATORS,
  adHocToFilter,
  combineFilters,
  findFieldByLabel,
  valueCondition,
  type AdHocFilter,
  type AdHocOperator,
} from './adhoc.ts';
export { completeFilter, type FilterCompletion, type FilterSuggestion } from './complete.ts';
export {
  COMPUTED_FIELDS,
  createFieldTable,
  fieldsOf,
  nearestNames,
  type ComputedField,
  type FieldKind,
  type FieldTable,
  type FilterField,
} from './fields.ts';
export { formatFilter, formatFilterText } from './format.ts';
export { compareBytes } from './literals.ts';
export { FILTER_LIMITS } from './limits.ts';
export { operatorsOf } from './operators.ts';
export { parseFilter, type ParseOptions } from './parser.ts';
export { parseRegex, type CharRange, type Regex, type RegexNode, type RegexResult } from './regex.ts';
export {
  FILTER_OPERATORS,
  type ConditionNode,
  type FilterError,
  type FilterNode,
  type FilterOperator,
  type FilterResult,
  type FilterValue,
  type GroupNode,
  type NotNode,
} from './tree.ts';
export { columnsOfFilter, forEachCondition, reverseFilter } from './walk.ts';
export { fillFilter, type TemplateValues } from './template.ts';
export type { FilterSets } from './values.ts';
export { sampleFilter, type SampledFilter } from './sample.ts';
export {
  hasVariable,
  readStructure,
  type Part,
  type StructureCondition,
  type StructureGroup,
  type StructureNode,
  type StructureNot,
} from './structure.ts';
