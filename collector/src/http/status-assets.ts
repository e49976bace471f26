import { createHash } from 'node:crypto';

/** Colours by meaning: light, dark. Text has a contrast of at least 4.5 on `back` and on `card` (a test computes it). */
export const COLOURS = {
  back: ['#ffffff', '#0f1419'],
  card: ['#f6f8fa', '#182029'],
  line: ['#d0d7de', '#33404d'],
  text: ['#1b1f24', '#e6edf3'],
  quiet: ['#57606a', '#a3b1bf'],
  link: ['#0a53be', '#79b8ff'],
  good: ['#116329', '#6fdd8b'],
  warn: ['#7a4400', '#f2c14e'],
  bad: ['#a40e26', '#ff9a94'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

const variables = (mode: 0 | 1): string =>
  Object.entries(COLOURS)
    .map(([name, pair]) => `--${name}:${pair[mode]}`)
    .join(';');

/** The style sheet. Below 60rem a row of a table becomes a card; explicit roles keep it a table for screen readers. */
export const STYLE = `
:root{color-scheme:light dark;${variables(0)}}
@media(prefers-color-scheme:dark){:root{${variables(1)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:break-word}
header,main,footer{max-width:80rem;margin:0 auto;padding:0 1rem}
header{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 1.5rem;padding-top:1rem}
h1{font-size:1.5rem;margin:0}
h2{font-size:1.15rem;margin:2rem 0 .5rem}
h3{font-size:1rem;margin:1rem 0 .25rem}
p{margin:.25rem 0}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,input:focus-visible,button:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:0;background:var(--back);padding:.5rem}
.quiet{color:var(--quiet)}.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
strong.warn,strong.bad{font-weight:600}
.state{margin:.75rem 0 1rem;padding:.5rem 1rem;border:1px solid var(--line);border-left:.4rem solid;background:var(--card);border-radius:.25rem}
.state p{color:var(--text)}.state strong{color:inherit}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:0}
.figures div{background:var(--card);border:1px solid var(--line);border-radius:.25rem;padding:.5rem .75rem}
dt{color:var(--quiet);font-size:.875rem}dd{margin:0}
.figures dd{font-size:1.25rem;font-variant-numeric:tabular-nums}
.figures dd small{display:block;font-size:.8125rem;color:var(--quiet)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9375rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .5rem;border-bottom:1px solid var(--line)}
thead th{color:var(--quiet);font-weight:600;font-size:.8125rem;vertical-align:bottom}
tbody th{font-weight:600;min-width:8.5rem}
tr>:first-child{padding-left:0}tr>:last-child{padding-right:0}
table+table{margin-top:1.5rem}
.n{text-align:right}
td small,th small{display:block;color:var(--quiet);font-weight:400;font-size:.8125rem}
details ul{margin:.25rem 0;padding-left:1.25rem;max-height:16rem;overflow:auto}
meter{width:100%;height:.75rem}
code{font-size:.9375em}
bdi,code,li,p,small,.text{overflow-wrap:anywhere}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end;margin:1rem 0}
label{display:grid}
input,button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--quiet);border-radius:.25rem;padding:.35rem .75rem}
footer{margin:2.5rem auto 0;padding-bottom:2rem;border-top:1px solid var(--line)}
footer ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1.5rem}
.wide{display:grid;gap:0 2.5rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr))}
.gauges{display:grid;gap:0 2.5rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,16rem),1fr))}
@media(max-width:60rem){
body{overflow-wrap:anywhere}
td>span{min-width:0}
table,tbody,tr,th,td{display:block;width:auto}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tbody tr{background:var(--card);border:1px solid var(--line);border-radius:.25rem;padding:.5rem .75rem;margin:0 0 .75rem}
th,td,.n{border:0;padding:.1rem 0;text-align:right}
tbody th{text-align:left;padding-bottom:.25rem}
.pairs tbody{background:var(--card);border:1px solid var(--line);border-radius:.25rem;padding:.5rem .75rem}
.pairs tbody tr{display:flex;justify-content:space-between;gap:1rem;border:0;padding:0;margin:0}
.pairs td::before{content:none}
td{display:flex;justify-content:space-between;gap:1rem}
td::before{content:attr(data-label)/"";color:var(--quiet);text-align:left;flex:0 0 auto}
td.text{display:block;text-align:left}td.text::before{content:none}
}
`;

/**
 * Fetches the page again and changes only what differs, so that scroll position, focus, selection and opened lists
 * stay. A token is kept for this tab only and goes nowhere but into the header.
 */
export const SCRIPT = `
(() => {
  const everyMs = 5000, key = 'ringflow-token', byId = (id) => document.getElementById(id);
  let since = new Date(), busy = false;
  const say = (text) => { const at = byId('connection'); if (at && at.textContent !== text) at.textContent = text; };
  const patch = (from, to) => {
    if (from.isEqualNode(to)) return;
    const olds = [...from.childNodes], news = [...to.childNodes];
    const rows = from.nodeName === 'TBODY' && to.nodeName === 'TBODY';
    if (from.nodeName !== to.nodeName || (!rows && olds.length !== news.length)) return void from.replaceWith(to);
    if (from.nodeType === 3) { from.nodeValue = to.nodeValue; return; }
    for (const { name } of [...from.attributes]) if (name !== 'open' && !to.hasAttribute(name)) from.removeAttribute(name);
    for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    if (!rows) return olds.forEach((old, index) => patch(old, news[index]));
    const known = new Map([...from.children].map((row) => [row.dataset.key, row]));
    let next = from.firstElementChild;
    for (const row of [...to.children]) {
      const old = known.get(row.dataset.key);
      if (!old) { from.insertBefore(row, next); continue; }
      known.delete(row.dataset.key);
      if (old === next) next = next.nextElementSibling; else from.insertBefore(old, next);
      patch(old, row);
    }
    for (const row of known.values()) row.remove();
  };
  const refresh = async () => {
    const token = sessionStorage.getItem(key);
    if (busy || document.hidden || (byId('token-form') && !token)) return;
    busy = true;
    try {
      const response = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(10000),
        headers: token ? { authorization: 'Bearer ' + token } : {} });
      if (!response.ok) throw new Error();
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      if (token && page.getElementById('token-form')) {
        sessionStorage.removeItem(key);
        patch(byId('page'), page.getElementById('page'));
        byId('token-answer').textContent = 'The collector does not take this token.';
      } else patch(byId('page'), page.getElementById('page'));
      document.title = page.title;
      since = new Date();
      say('Refreshes every 5 seconds.');
    } catch { say('No answer from the collector since ' + since.toLocaleTimeString() + '.'); }
    busy = false;
  };
  document.addEventListener('submit', (event) => {
    event.preventDefault();
    byId('token-answer').textContent = '';
    sessionStorage.setItem(key, byId('token').value.trim());
    refresh();
  });
  document.addEventListener('visibilitychange', refresh);
  setInterval(refresh, everyMs);
  refresh();
})();
`;

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing runs or loads but what this page brings along: the two texts above are named by their hashes. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    `style-src ${hash(STYLE)}`,
    `script-src ${hash(SCRIPT)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};
