import React from 'react';
import { MAX_DIMENSIONS } from '@ringflow/contract';
import { changeKind } from '../data/kind';
import { groupsOf, perspectiveOf, perspectivesOf } from '../data/perspective';
import { HINTS, KINDS, LABELS } from '../labels';
import { Choice } from './Choice';
import { Field } from './Field';
import { chosen, groupOptions, placeOptions, spreadOptions, type Catalog } from './fields';
import { LabelledMultiCombobox } from './LabelledMultiCombobox';
import type { RowProps } from './QueryEditor';

/** What is shown, and by which fields it is divided. */
export function ShapeFields({ query, change, id, catalog }: RowProps & { catalog: Catalog }) {
  const { kind, groupBy } = query;
  const hasPerspective = kind !== 'stat' && kind !== 'records' && kind !== 'heatmap';
  return (
    <>
      <Field label={LABELS.kind} htmlFor={`${id}-kind`}>
        <Choice
          id={`${id}-kind`}
          width={18}
          options={KINDS}
          value={kind}
          onChange={(value) => value !== kind && change(changeKind(query, value))}
        />
      </Field>
      {hasPerspective && <PerspectiveField query={query} change={change} id={id} />}
      {hasPerspective && (
        <Field label={groupLabel(kind)} htmlFor={`${id}-group`} hint={groupHint(kind)} grow>
          <Groups
            id={`${id}-group`}
            label={groupLabel(kind)}
            names={groupBy}
            kind={kind}
            catalog={catalog}
            onChange={(names) => change({ groupBy: names })}
          />
        </Field>
      )}
      {kind === 'heatmap' && (
        <Field label={LABELS.spread} htmlFor={`${id}-spread`} hint={HINTS.spread}>
          <Choice
            id={`${id}-spread`}
            width={28}
            options={spreadOptions(catalog)}
            value={groupBy[0] ?? null}
            onChange={(name) => change({ groupBy: [name] })}
          />
        </Field>
      )}
      {kind === 'stat' && (
        <Field label={LABELS.unique} htmlFor={`${id}-unique`} hint={HINTS.unique} grow>
          <Groups
            id={`${id}-unique`}
            label={LABELS.unique}
            names={query.unique}
            kind={kind}
            catalog={catalog}
            onChange={(unique) => change({ unique })}
          />
        </Field>
      )}
    </>
  );
}

function groupLabel(kind: string): string {
  return kind === 'graph' ? LABELS.stops : kind === 'geo' ? LABELS.places : LABELS.groupBy;
}

function groupHint(kind: string): string {
  return kind === 'graph' ? HINTS.stops : kind === 'geo' ? HINTS.places : HINTS.groupBy;
}

function PerspectiveField({ query: { kind, groupBy }, change, id }: RowProps) {
  const perspectives = perspectivesOf(kind);
  return (
    <Field label={LABELS.perspective} htmlFor={`${id}-perspective`} hint={HINTS.perspective}>
      <Choice
        id={`${id}-perspective`}
        width={26}
        placeholder={LABELS.perspectiveCustom}
        options={perspectives.map(({ id: value, label, description }) => ({ value, label, description }))}
        value={perspectiveOf(kind, groupBy)?.id ?? null}
        onChange={(chosenId) => {
          const perspective = perspectives.find((candidate) => candidate.id === chosenId);
          if (perspective) change({ groupBy: groupsOf(perspective, kind) });
        }}
      />
    </Field>
  );
}

interface GroupsProps {
  id: string;
  label: string;
  names: readonly string[];
  kind: string;
  catalog: Catalog;
  onChange: (names: string[]) => void;
}

/** Several fields, in their order; a variable can be typed. */
function Groups({ id, label, names, kind, catalog, onChange }: GroupsProps) {
  const options = kind === 'geo' ? placeOptions(catalog) : groupOptions(catalog);
  return (
    <LabelledMultiCombobox
      id={id}
      label={label}
      minWidth={24}
      maxWidth={160}
      isClearable
      createCustomValue
      placeholder={kind === 'stat' ? 'Nothing' : 'Everything in one'}
      options={options}
      value={chosen(names, options)}
      onChange={(selected) => onChange(selected.map(({ value }) => value).slice(0, MAX_DIMENSIONS))}
    />
  );
}
