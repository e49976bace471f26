import type { Monaco, monacoTypes } from '@grafana/ui';
import type { FilterChoices, FilterProblem } from '../data/filter-text';

export const LANGUAGE = 'ringflow-filter';
const OWNER = 'ringflow';

/** Completes the text of one editor at a character from 0. */
export type Complete = (text: string, cursor: number) => Promise<FilterChoices>;

/** Providers are one per language, editors are many: which one asks is found by its model. */
const COMPLETERS = new WeakMap<monacoTypes.editor.ITextModel, Complete>();

/** Tells the editor about the filter language; once is enough for all. */
export function registerLanguage(monaco: Monaco): void {
  if (monaco.languages.getLanguages().some(({ id }) => id === LANGUAGE)) return;
  monaco.languages.register({ id: LANGUAGE });
  monaco.languages.setLanguageConfiguration(LANGUAGE, {
    brackets: [['(', ')']],
    autoClosingPairs: [
      { open: '(', close: ')' },
      { open: '"', close: '"', notIn: ['string'] },
    ],
    // Addresses, prefixes, sets and variables are one word each.
    wordPattern: /[\p{L}\p{N}_.:/%@*+$-]+/u,
  });
  monaco.languages.setMonarchTokensProvider(LANGUAGE, {
    ignoreCase: true,
    keywords: ['and', 'or', 'not'],
    words: ['in', 'notin', 'between', 'like', 'ilike', 'unlike', 'iunlike', 'has', 'contains'],
    tokenizer: {
      root: [
        [/--.*$/, 'comment'],
        [/\/\*/, 'comment', '@comment'],
        [/"([^"\\]|\\.)*"|'([^'\\]|\\.)*'/, 'string'],
        [/\$\{[^}]*\}|\$\w+|\[\[\w+\]\]/, 'variable'],
        [/@[\w.-]+/, 'tag'],
        [/\d[\w.:/%-]*/, 'number'],
        [/[a-z_][\w]*/, { cases: { '@keywords': 'keyword', '@words': 'keyword', '@default': 'identifier' } }],
        [/[=!<>~&|]+/, 'operator'],
      ],
      comment: [
        [/\*\//, 'comment', '@pop'],
        [/./, 'comment'],
      ],
    },
  });
  monaco.languages.registerCompletionItemProvider(LANGUAGE, {
    triggerCharacters: [' ', '(', ',', '"', '@', '$', '='],
    provideCompletionItems: async (model, position) => {
      const complete = COMPLETERS.get(model);
      if (!complete) return { suggestions: [] };
      const choices = await complete(model.getValue(), model.getOffsetAt(position));
      return { suggestions: itemsOf(choices, model, monaco), incomplete: true };
    },
  });
}

export function setCompleter(model: monacoTypes.editor.ITextModel, complete: Complete): void {
  COMPLETERS.set(model, complete);
}

function itemsOf(
  { suggestions, replace }: FilterChoices,
  model: monacoTypes.editor.ITextModel,
  monaco: Monaco,
): monacoTypes.languages.CompletionItem[] {
  const { CompletionItemKind } = monaco.languages;
  const kinds = {
    field: CompletionItemKind.Field,
    operator: CompletionItemKind.Operator,
    value: CompletionItemKind.Value,
    keyword: CompletionItemKind.Keyword,
    set: CompletionItemKind.Constant,
  } as const;
  const range = rangeOf(model, replace.offset, replace.length);
  const typed = model.getValueInRange(range);
  return suggestions.map(({ text, kind, detail }, index) => ({
    label: text,
    kind: kinds[kind],
    detail,
    insertText: kind === 'value' || kind === 'set' ? text : `${text} `,
    range,
    // The order is ours: most traffic first, and a value is found by its name, too.
    sortText: String(index).padStart(4, '0'),
    filterText: typed === '' ? text : typed,
  }));
}

/** Underlines what is wrong, or nothing. */
export function setProblem(
  monaco: Monaco,
  model: monacoTypes.editor.ITextModel,
  problem: FilterProblem | undefined,
): void {
  const markers = problem
    ? [
        {
          ...rangeOf(model, problem.position.offset, Math.max(1, problem.position.length)),
          severity: monaco.MarkerSeverity.Error,
          message: problem.message,
        },
      ]
    : [];
  monaco.editor.setModelMarkers(model, OWNER, markers);
}

function rangeOf(model: monacoTypes.editor.ITextModel, offset: number, length: number): monacoTypes.IRange {
  const [start, end] = [model.getPositionAt(offset), model.getPositionAt(offset + length)];
  // What is missing at the end is marked at the last character.
  const column = start.lineNumber === end.lineNumber && start.column === end.column ? start.column - 1 : start.column;
  return {
    startLineNumber: start.lineNumber,
    startColumn: Math.max(1, length > 0 ? column : start.column),
    endLineNumber: end.lineNumber,
    endColumn: end.column,
  };
}
