import { answer, choice, count, flag, list, number, text, type JsonSchema } from './json-schema.ts';
import { METRICS } from './query.ts';

const SCORE_COUNTERS = (what: string): JsonSchema =>
  answer({ bytes: count('Scaled'), packets: count('Scaled'), flows: count('Records') }, what);

const SCORE_LISTS = list(
  answer(
    {
      direction: choice(['in', 'out'], 'Seen from the own networks'),
      metric: choice(METRICS, 'What ranks'),
      rows: list(
        answer(
          {
            rank: count('From 1'),
            address: text('An own host'),
            in: SCORE_COUNTERS('What it received from outside'),
            out: SCORE_COUNTERS('What it sent to the outside'),
            share: number('Percent of what all hosts have, by the metric and the direction of the list'),
            intervals: count('Intervals that the values are the average of'),
          },
          'A host',
        ),
        'Most first',
      ),
    },
    'The hosts with the most of one metric in one direction',
  ),
  'In and out, by bytes, packets and flows',
);

/** Answer of `GET /api/v1/scoreboard`. */
export const SCOREBOARD_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    fromMs: count('Milliseconds since the epoch'),
    toMs: count('Milliseconds since the epoch'),
    seconds: number('What values are divided by for a rate'),
    complete: flag('False while records may still come'),
    in: SCORE_COUNTERS('Everything that came in'),
    out: SCORE_COUNTERS('Everything that went out'),
    lists: SCORE_LISTS,
  },
  'The own hosts with the most traffic of five minutes',
);

/** Answer of `GET /api/v1/scoreboard/overall`. */
export const OVERALL_SCORE_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    untilMs: count('End of the last interval that is in it, milliseconds since the epoch; 0 when none is'),
    reports: count('Intervals since everything was halved last'),
    seconds: number('What values are divided by for a rate'),
    lists: SCORE_LISTS,
  },
  'Hosts that are among the busiest again and again, averages per interval',
);
