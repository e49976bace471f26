import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { INLET_DEFAULTS } from '../collector/src/inlet/config.ts';
import { documentedBlocks, projectFile, ROOT } from './testing/documented.ts';
import { describeWith, findProgram } from './testing/programs.ts';

interface Service {
  image: string;
  network_mode?: string;
  privileged?: boolean;
  ports?: unknown;
  volumes: string[];
}
interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, null>;
}

const compose = parse(projectFile('docker-compose.yml')) as Compose;
const dockerfile = projectFile('collector/Dockerfile');
const grafanaDockerfile = projectFile('grafana-plugin/Dockerfile');

/** What a Dockerfile takes from the project. */
const copiesOf = (text: string): string[] =>
  [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));

/** `docker compose` (the plug-in), or the older `docker-compose`; null when there is neither. */
function composeCommand(): string | null {
  if (findProgram('docker') && spawnSync('docker', ['compose', 'version']).status === 0) return 'docker compose';
  return findProgram('docker-compose') ? 'docker-compose' : null;
}

describe('docker-compose.yml', () => {
  const command = composeCommand();
  if (command === null)
    process.stderr.write('docker compose: not installed; its check of docker-compose.yml is skipped\n');

  test('mounts only what is there, names the version of every image, publishes nothing beyond loopback', () => {
    expect(Object.keys(compose.services)).toEqual(['collector', 'prometheus', 'grafana']);
    for (const { image, volumes, network_mode, privileged, ports } of Object.values(compose.services)) {
      expect(image).toMatch(/^(ringflow(-grafana)?:latest|[a-z]+\/[a-z]+:v?\d+\.\d+\.\d+)$/);
      expect({ network_mode, privileged, ports }).toEqual({
        network_mode: 'host',
        privileged: undefined,
        ports: undefined,
      });
      for (const source of volumes.map((volume) => volume.split(':')[0] ?? ''))
        expect(source.startsWith('./') ? existsSync(join(ROOT, source)) : source in compose.volumes).toBe(true);
    }
  });

  (command === null ? test.skip : test)('is accepted with a password, and refused without one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringflow-compose-'));
    try {
      cpSync(join(ROOT, 'docker-compose.yml'), join(folder, 'docker-compose.yml'));
      mkdirSync(join(folder, 'collector'));
      const run = (script: string) =>
        spawnSync('bash', ['-ec', script.replaceAll('docker compose', command ?? '')], {
          cwd: folder,
          encoding: 'utf8',
        });
      const without = run('docker compose config --quiet');
      expect(without.status).not.toBe(0);
      expect(without.stderr).toContain('write GRAFANA_ADMIN_PASSWORD=... into .env');
      const documented = run(documentedBlocks('docs/operations.md').get('compose') ?? 'false');
      expect({ status: documented.status, stderr: documented.stderr }).toEqual({ status: 0, stderr: '' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the images', () => {
  test('copies only what is there and what .dockerignore lets in, and does not run as root', () => {
    const allowed = new Set(
      projectFile('.dockerignore')
        .split('\n')
        .filter((line) => line.startsWith('!'))
        .map((line) => line.slice(1)),
    );
    const copies = [...copiesOf(dockerfile), ...copiesOf(grafanaDockerfile)];
    expect(copies.length).toBeGreaterThan(12);
    for (const path of copies) {
      expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
      expect([path, allowed.has(path.split('/')[0] ?? '')]).toEqual([path, true]);
    }
    expect([...dockerfile.matchAll(/^USER (\S+)/gm)].at(-1)?.[1]).toBe('node');
    // Grafana's own image says who it runs as.
    expect(grafanaDockerfile).not.toMatch(/^USER /m);
    for (const [, image] of grafanaDockerfile.matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/:v?\d+/);
  });

  test('the steps for the collector build one that runs, from nothing but what they copy', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringflow-image-'));
    try {
      // The packages of this checkout stand for the step that installs them, which takes the network.
      for (const [, paths = '', to = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+) (\S+)$/gm)) {
        for (const path of paths.split(' ')) {
          const source = join(ROOT, path);
          const target = path.endsWith('/') ? join(folder, to) : join(folder, to, path.split('/').at(-1) ?? '');
          if (path.startsWith('LICENSE')) continue;
          cpSync(source, target, {
            recursive: true,
            filter: (name) => !/node_modules|\/dist(\/|$)|\.test\.ts$/.test(name),
          });
        }
      }
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
      if (existsSync(join(ROOT, 'collector/node_modules')))
        symlinkSync(join(ROOT, 'collector/node_modules'), join(folder, 'collector/node_modules'));
      const build = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: folder, encoding: 'utf8' });
      expect({ status: build.status, stderr: build.stderr }).toEqual({ status: 0, stderr: '' });
      const start = /printf '(#!\/bin\/sh.*?)' >/
        .exec(dockerfile)?.[1]
        ?.replaceAll('\\n', '\n')
        .replace('/opt/ringflow', folder);
      writeFileSync(join(folder, 'ringflow'), start ?? '');
      chmodSync(join(folder, 'ringflow'), 0o755);
      const version = spawnSync(join(folder, 'ringflow'), ['--version'], { cwd: folder, encoding: 'utf8' });
      expect(version.stdout).toMatch(/^(ringflow )?\d+\.\d+\.\d+/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('deploy/', () => {
  test('sysctl.d allows the receive buffer that the inlet asks for', () => {
    const [, limit] = /^net\.core\.rmem_max = (\d+)$/m.exec(projectFile('deploy/sysctl.d/90-ringflow.conf')) ?? [];
    expect(Number(limit)).toBe(INLET_DEFAULTS.receive_buffer_bytes);
  });

  test('the service promises systemd only what the collector does', () => {
    const unit = projectFile('deploy/systemd/ringflow.service');
    const sources = readdirSync(join(ROOT, 'collector/src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(ROOT, 'collector/src', name), 'utf8'));
    const notifies = sources.some((text) => text.includes('NOTIFY_SOCKET'));
    expect(/^Type=(\S+)$/m.exec(unit)?.[1]).toBe(notifies ? 'notify' : 'exec');
    expect(unit).toMatch(/^ExecStart=\/usr\/bin\/node \/opt\/ringflow\/collector\/dist\/ringflow\.cjs serve /m);
  });

  describeWith(['systemd-analyze'], 'systemd-analyze', () => {
    test('has nothing to say about the service', () => {
      // It looks whether the program exists: any node does for the unit's sake.
      const folder = mkdtempSync(join(tmpdir(), 'ringflow-unit-'));
      try {
        const path = join(folder, 'ringflow.service');
        writeFileSync(path, projectFile('deploy/systemd/ringflow.service').replace('/usr/bin/node', process.execPath));
        const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
        expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
});
