/** What an error says, whoever threw it: the collector, Grafana's proxy, the network or our own code. */
export function errorText(error: unknown): string {
  const { status, statusText, data, message, hint } = (error ?? {}) as {
    status?: number;
    statusText?: string;
    data?: { message?: string; error?: string; hint?: string } | string;
    message?: string;
    hint?: string;
  };
  const body = typeof data === 'object' && data !== null ? data : {};
  // What Grafana makes of an answer without a text says no more than its status.
  const own = typeof error === 'string' ? error : /^Query error(: \d+|$)/.test(message ?? '') ? '' : message;
  const said = body.message || body.error || own || '';
  const advice = body.hint ?? hint;
  const text = said || BY_STATUS[status ?? 0] || statusText || 'Something went wrong and nobody said what';
  return advice ? `${text}. ${advice}` : text;
}

/** Answers of Grafana that come without a text. */
const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'Grafana refused the request',
  401: 'You are not signed in to Grafana any more: reload the page',
  403: 'You may not query this data source: ask for the permission to query it',
  404: 'The data source or its backend is not there: check that the plugin is installed and was started',
  502: 'The collector cannot be reached: check that it runs, and the URL of the data source',
  503: 'The collector is not ready: wait a moment and try again',
  504: 'The collector did not answer in time: ask for less, or raise the timeout of the data source',
};
