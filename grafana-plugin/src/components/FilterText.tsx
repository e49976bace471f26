import React, { useEffect, useRef, useState } from 'react';
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import { CodeEditor, useStyles2, type Monaco, type MonacoEditor } from '@grafana/ui';
import { filterChoices, filterProblem } from '../data/filter-text';
import { LANGUAGE, registerLanguage, setCompleter, setProblem } from './filter-language';
import type { FilterProps } from './FilterEditor';

const LINE_PX = 22;
const MOST_LINES = 8;

/** The filter as text, with completion and with mistakes marked. It takes effect when the editor is left or with Ctrl+Enter. */
export function FilterText({ id, filter, onChange, catalog, collector, fromMs, toMs }: FilterProps) {
  const styles = useStyles2(getStyles);
  const [draft, setDraft] = useState(filter);
  const [seen, setSeen] = useState(filter);
  if (seen !== filter) {
    setSeen(filter);
    setDraft(filter);
  }
  const editor = useRef<{ monaco: Monaco; editor: MonacoEditor } | null>(null);
  const problem = filterProblem(draft, catalog.sets);

  // The editor calls back long after this render: what it needs is looked up then.
  const latest = useRef({ catalog, collector, fromMs, toMs, filter, onChange });
  useEffect(() => {
    latest.current = { catalog, collector, fromMs, toMs, filter, onChange };
  });
  const commit = (text: string) => {
    const { filter: stored, onChange: tell } = latest.current;
    if (text.trim() !== stored) tell(text.trim());
  };

  useEffect(() => {
    const model = editor.current?.editor.getModel();
    if (editor.current && model) setProblem(editor.current.monaco, model, filterProblem(draft, catalog.sets));
  }, [draft, catalog.sets]);

  const onMount = (mounted: MonacoEditor, monaco: Monaco) => {
    editor.current = { monaco, editor: mounted };
    const model = mounted.getModel();
    if (model) {
      setCompleter(model, (text, cursor) => {
        const { catalog, collector, fromMs, toMs } = latest.current;
        const variables = getTemplateSrv()
          .getVariables()
          .map(({ name }) => name);
        const window = { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
        return filterChoices(text, cursor, { collector, sets: catalog.sets, variables, ...window });
      });
      setProblem(monaco, model, filterProblem(model.getValue(), latest.current.catalog.sets));
    }
    mounted.onKeyDown((event) => {
      // Tab leaves the editor, as it leaves every other field, unless a suggestion takes it.
      const isSuggesting = mounted.getDomNode()?.querySelector('.suggest-widget.visible');
      if (event.keyCode === monaco.KeyCode.Tab && !isSuggesting) event.stopPropagation();
      if ((event.ctrlKey || event.metaKey) && event.keyCode === monaco.KeyCode.Enter) {
        event.preventDefault();
        event.stopPropagation();
        commit(mounted.getValue());
      }
    });
  };

  const lines = Math.min(MOST_LINES, Math.max(1, draft.split('\n').length));
  return (
    <div>
      <CodeEditor
        language={LANGUAGE}
        value={filter}
        height={lines * LINE_PX + 10}
        showMiniMap={false}
        showLineNumbers={false}
        monacoOptions={{
          ariaLabel: 'Filter',
          fixedOverflowWidgets: true,
          folding: false,
          glyphMargin: false,
          lineDecorationsWidth: 6,
          lineHeight: LINE_PX,
          lineNumbersMinChars: 0,
          overviewRulerLanes: 0,
          padding: { top: 4, bottom: 4 },
          renderLineHighlight: 'none',
          scrollBeyondLastLine: false,
          scrollbar: { vertical: 'hidden', horizontal: 'hidden', alwaysConsumeMouseWheel: false },
          suggest: { showWords: false },
          suggestFontSize: 12,
          wordBasedSuggestions: false,
          wordWrap: 'on',
        }}
        onBeforeEditorMount={registerLanguage}
        onEditorDidMount={onMount}
        onChange={setDraft}
        onBlur={commit}
      />
      <p id={`${id}-filter-problem`} role="status" className={problem ? styles.problem : styles.advice}>
        {problem
          ? `${problem.message} (character ${problem.position.offset + 1})`
          : 'Ctrl+Space suggests, Ctrl+Enter runs'}
      </p>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => {
  const line = { ...theme.typography.bodySmall, margin: theme.spacing(0.5, 0, 0), minHeight: theme.spacing(2.5) };
  return {
    problem: css({ ...line, color: theme.colors.error.text }),
    advice: css({ ...line, color: theme.colors.text.secondary }),
  };
};
