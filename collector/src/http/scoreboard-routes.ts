import {
  OVERALL_SCORE_RESPONSE_SCHEMA,
  RingflowError,
  SCOREBOARD_RESPONSE_SCHEMA,
  type JsonSchema,
  type OverallScoreResponse,
  type ScoreboardResponse,
} from '@ringflow/contract';
import { parseTimePoint } from '../query/index.ts';
import { INTERVAL_MS, lastComplete, rankScores, readScoreboard } from '../scoreboard/index.ts';
import type { ApiAnswer, ApiRequest, Route, RouteContext } from './route.ts';
import { scoreboardCsv, scoreboardPage } from './scoreboard-page.ts';

const ROWS: JsonSchema = {
  type: 'string',
  pattern: '^([1-9][0-9]?|100)$',
  description: 'Hosts in each list, 1 to 100; scoreboard.rows when not given',
};
const FORMAT: JsonSchema = { type: 'string', enum: ['json', 'csv', 'html'], description: 'json when not given' };

/** Hosts of a list when nothing is configured. */
const USUAL_ROWS = 10;

function rowsOf({ query }: ApiRequest, { deps }: RouteContext): number {
  return Number(query['n'] ?? deps.scoreRows?.() ?? USUAL_ROWS);
}

function inFormat(board: ScoreboardResponse | OverallScoreResponse, { query }: ApiRequest): ApiAnswer {
  switch (query['format']) {
    case 'csv':
      return { contentType: 'text/csv; charset=utf-8', body: scoreboardCsv(board) };
    case 'html':
      return { contentType: 'text/html; charset=utf-8', body: scoreboardPage(board) };
    default:
      return { body: board };
  }
}

export const SCOREBOARD_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/scoreboard',
    operationId: 'scoreboard',
    tag: 'query',
    summary: 'The own hosts with the most traffic of five minutes, in and out, by bytes, packets and flows',
    access: 'token',
    query: {
      type: 'object',
      additionalProperties: false,
      properties: {
        at: {
          type: 'string',
          maxLength: 64,
          description: 'A time in the interval; the newest complete one when not given',
        },
        n: ROWS,
        format: FORMAT,
      },
    },
    answer: SCOREBOARD_RESPONSE_SCHEMA,
    handle: async (request, context) => {
      const { answers, deps } = context;
      const nowMs = deps.now();
      const at = request.query['at'];
      const atMs = at === undefined ? lastComplete(nowMs) - INTERVAL_MS : parseTimePoint(at, nowMs);
      if (atMs === null)
        throw new RingflowError('bad_request', `at is not a time: ${JSON.stringify(at)}`, {
          hint: 'Write milliseconds since the epoch, 2026-01-31T12:00:00Z or now-6h',
        });
      const board = await readScoreboard(
        (query, signal) => answers.query(query, request.client, signal),
        atMs,
        rowsOf(request, context),
        nowMs,
        request.signal,
      );
      return inFormat(board, request);
    },
  },
  {
    method: 'GET',
    path: '/api/v1/scoreboard/overall',
    operationId: 'overallScoreboard',
    tag: 'query',
    summary: 'Hosts that are among the busiest again and again: averages of the intervals so far, older ones fading',
    access: 'token',
    query: { type: 'object', additionalProperties: false, properties: { n: ROWS, format: FORMAT } },
    answer: OVERALL_SCORE_RESPONSE_SCHEMA,
    handle: async (request, context) => {
      const scores = await context.deps.scores?.();
      if (!scores) throw new RingflowError('not_found', 'No scores are kept here');
      const board: OverallScoreResponse = {
        untilMs: scores.untilMs,
        reports: scores.reports,
        seconds: INTERVAL_MS / 1000,
        lists: rankScores(scores, rowsOf(request, context)),
      };
      return inFormat(board, request);
    },
  },
];
