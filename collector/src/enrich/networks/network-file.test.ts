import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nameId } from '@ringflow/contract';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS, type Enrich, type EnrichConfig } from '../index.ts';
import { parseNetworks } from './network-file.ts';
import { compileNetworks } from './network-table.ts';
import { batchOf, numbersOf } from '../testing/batch.ts';

const linesOf = (text: string) => parseNetworks(Buffer.from(text));

const NO_PLACE = { latitude: '', longitude: '' };

test('headings in any order and case, other columns, quotes, comments, Windows line ends', () => {
  const text =
    '\ufeffName,asn,Network,site,ROLE\r\n# offices\r\nhead office,64500,10.1.0.0/16,"Main Street 1, hall 2",office\r\n\r\nlab,,2001:db8:1::/48,,\r\n';
  expect(linesOf(text)).toEqual([
    {
      where: 'line 3',
      prefix: '10.1.0.0/16',
      name: 'head office',
      role: 'office',
      site: 'Main Street 1, hall 2',
      region: '',
      tenant: '',
      ...NO_PLACE,
    },
    {
      where: 'line 5',
      prefix: '2001:db8:1::/48',
      name: 'lab',
      role: '',
      site: '',
      region: '',
      tenant: '',
      ...NO_PLACE,
    },
  ]);
});

test.each([
  ['# nothing\n', 'It is empty'],
  ['10.0.0.0/8,campus\n', 'It has no column "network": write a first line like network,name,role,site,region,tenant'],
  ['network,names\n10.0.0.0/8,campus\n', 'It has no column "name"'],
  ['network,name\n10.0.0.0/8,campus\n10.0.0.0/40,lab\n', 'line 3: 10.0.0.0/40 is not a network'],
  ['network,name\n10.0.0.0/8,"a,b"\n', 'line 2: "a,b" cannot be the name of a network'],
  ['network,name\n10.0.0.0/8,\n', 'line 2: "" cannot be the name of a network'],
  ['network,name\n10.0.0.0/8,campus,more\n', 'line 2'],
  ['network,name,latitude\n10.0.0.0/8,campus,52.5\n', 'line 2: latitude and longitude go together'],
  ['network,name,latitude,longitude\n10.0.0.0/8,campus,95,13.4\n', 'line 2: latitude and longitude go together'],
])('%j is refused: %s', (text, message) => {
  expect(() => compileNetworks({}, linesOf(text))).toThrow(message);
});

describe('a watched file', () => {
  let folder: string;
  let enrich: Enrich;
  const logged: string[] = [];
  const write = (text: string): void => {
    writeFileSync(join(folder, 'new'), text);
    renameSync(join(folder, 'new'), join(folder, 'networks.csv'));
  };
  const log = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const start = async (networks: EnrichConfig['networks'] = {}): Promise<void> => {
    enrich = createEnrich(
      { ...ENRICH_DEFAULTS, networks, networks_file: join(folder, 'networks.csv') },
      { log: { info: log, warn: log } },
    );
    await enrich.start();
  };
  const networkOf = (address: string): number => {
    const batch = batchOf([{ src_addr: address }], ENRICH_COLUMNS);
    enrich.step(batch, 0, 1);
    return numbersOf(batch, 'src_network')[0] as number;
  };
  const told = () => enrich.takeNames().filter(({ kind }) => kind === 'network');
  const until = async (done: () => boolean): Promise<void> => {
    for (let i = 0; i < 400 && !done(); i++) await sleep(50);
    expect(done()).toBe(true);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ringflow-networks-'));
    logged.length = 0;
  });
  afterEach(async () => {
    await enrich.stop();
    rmSync(folder, { recursive: true });
  });

  test('its networks and the configured ones are one set; a change counts from the next record on', async () => {
    write('network,name,site\n10.1.0.0/16,offices,north\n');
    await start({ campus: { prefixes: ['10.0.0.0/8'], region: 'inland' } });
    expect(networkOf('10.1.2.3')).toBe(nameId('offices,campus'));
    expect(told()).toMatchObject([{ name: 'offices,campus', attributes: { site: 'north', region: 'inland' } }]);
    expect(enrich.status().files).toMatchObject([{ entries: 1, error: null }]);
    write('network,name,site\n10.1.0.0/16,offices,south\n10.1.2.0/24,servers,\n');
    await until(() => networkOf('10.1.2.3') === nameId('servers,offices,campus'));
    expect(networkOf('10.1.3.3')).toBe(nameId('offices,campus'));
    // The site of a set that was told before has changed.
    expect(told().find(({ name }) => name === 'offices,campus')?.attributes).toEqual({
      site: 'south',
      region: 'inland',
    });
  }, 30_000);

  test('a file that is wrong changes nothing and says so', async () => {
    write('network,name\n10.1.0.0/16,offices\n');
    await start();
    write('network,name\n10.1.0.0/16,halls\n10.2.0/16,labs\n');
    await until(() => enrich.status().files[0]?.error !== null);
    expect(enrich.status().files[0]?.error).toBe('line 3: 10.2.0/16 is not a network, write it like 192.0.2.0/24');
    expect(networkOf('10.1.2.3')).toBe(nameId('offices'));
    expect(logged.at(-1)).toMatch(/^enrichment file cannot be used, the one before stays .*line 3/);
  }, 30_000);

  test('without the file the configured networks count', async () => {
    await start({ campus: ['10.0.0.0/8'] });
    expect(networkOf('10.1.2.3')).toBe(nameId('campus'));
    expect(enrich.status().files[0]?.error).toBe('There is no such file');
  });
});
