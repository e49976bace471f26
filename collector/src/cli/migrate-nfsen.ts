import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { convertChannels, parseProfiles } from '../cuflow/index.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';
import { formatRemarks, readText, writeConfig } from './migrate.ts';

/** `ringflow migrate nfsen`: a watch for each channel of each profile. */
export function run(args: Arguments, io: Io): Promise<number> {
  const [profile, filters] = [args.text('profile'), args.text('filters')];
  if (profile === undefined || filters === undefined)
    throw new UsageError(
      'The profiles and their filters are needed',
      'Name them with --profile FILE and --filters DIR',
    );
  const { channels, errors } = parseProfiles(readText(profile));
  if (errors.length > 0) {
    io.err(formatRemarks(profile, errors));
    return Promise.resolve(EXIT.failed);
  }
  const { config, warnings } = convertChannels(channels, ({ group, profile: name, channel }) => {
    const path = join(filters, group, name, `${channel}-filter.txt`);
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  });
  io.err(formatRemarks(profile, warnings));
  writeConfig(config, `Made from ${profile} by "ringflow migrate nfsen".`, args.text('output'), io);
  return Promise.resolve(EXIT.ok);
}
