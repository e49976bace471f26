import type { Random } from '../../collector/src/demo/index.ts';

/** Datagrams made to exhaust something; each returns the length of what it wrote into `out`. */
export type Attack = (random: Random, nowMs: number, out: Uint8Array) => number;

interface Pen {
  readonly u8: (value: number) => void;
  readonly u16: (value: number) => void;
  readonly u32: (value: number) => void;
  readonly patch16: (at: number, value: number) => void;
  readonly patch32: (at: number, value: number) => void;
  at(): number;
}

function pen(out: Uint8Array): Pen {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  let at = 0;
  return {
    u8: (value) => view.setUint8(at++, value),
    u16: (value) => (view.setUint16(at, value), (at += 2)),
    u32: (value) => (view.setUint32(at, value), (at += 4)),
    patch16: (offset, value) => view.setUint16(offset, value),
    patch32: (offset, value) => view.setUint32(offset, value),
    at: () => at,
  };
}

/** A UDP payload over IPv4. */
const MOST_BYTES = 65_507;

/** Header of NetFlow v9 or IPFIX; the IPFIX length is patched at the end. */
function begin(to: Pen, version: 9 | 10, nowMs: number, domain: number): void {
  to.u16(version);
  to.u16(1);
  if (version === 9) to.u32(1_000_000);
  to.u32(Math.floor(nowMs / 1000));
  to.u32(1);
  to.u32(domain);
}

function end(to: Pen, version: 9 | 10): number {
  if (version === 10) to.patch16(2, to.at());
  return to.at();
}

function set(to: Pen, id: number, body: () => void): void {
  const from = to.at();
  to.u16(id);
  to.u16(0);
  body();
  to.patch16(from + 2, to.at() - from);
}

const ELEMENTS = [
  1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 14, 16, 17, 21, 22, 27, 28, 61, 82, 96, 130, 136, 148, 152, 153, 239,
];

function randomTemplate(random: Random, to: Pen, id: number, fields: number): void {
  to.u16(id);
  to.u16(fields);
  for (let i = 0; i < fields; i++) {
    to.u16(random.pick(ELEMENTS));
    to.u16(random.pick([1, 2, 4, 8, 16]));
  }
}

const version = (random: Random): 9 | 10 => (random.next() < 0.5 ? 9 : 10);

/** X02: hundreds of templates, each another layout. */
const templateFlood: Attack = (random, nowMs, out) => {
  const to = pen(out);
  const v = version(random);
  begin(to, v, nowMs, random.between(0, 0xffff));
  set(to, v === 9 ? 0 : 2, () => {
    for (let n = random.between(20, 300); n > 0; n--)
      randomTemplate(random, to, random.between(256, 65_535), random.between(1, 12));
  });
  return end(to, v);
};

/** X02, X03: a template and a record of it, so that the template looks as if it were of use. */
const templateAndData: Attack = (random, nowMs, out) => {
  const to = pen(out);
  const v = version(random);
  begin(to, v, nowMs, random.between(0, 3));
  const id = random.between(256, 300);
  set(to, v === 9 ? 0 : 2, () => {
    to.u16(id);
    to.u16(3);
    for (const element of [8, 12, 1]) {
      to.u16(element);
      to.u16(4);
    }
  });
  set(to, id, () => {
    for (let i = 0; i < 3; i++) to.u32(random.between(0, 0x7fffffff));
  });
  return end(to, v);
};

/** X02: options records with a new interface each. */
const optionsFlood: Attack = (random, nowMs, out) => {
  const to = pen(out);
  begin(to, 10, nowMs, random.between(0, 0xffffff));
  set(to, 3, () => {
    to.u16(400);
    to.u16(3);
    to.u16(1);
    for (const [element, length] of [
      [10, 4],
      [82, 8],
      [305, 4],
    ] as const) {
      to.u16(element);
      to.u16(length);
    }
  });
  set(to, 400, () => {
    for (let n = random.between(50, 3000); n > 0; n--) {
      to.u32(random.between(0, 0x7fffffff));
      for (let i = 0; i < 8; i++) to.u8(random.between(0, 255));
      to.u32(random.between(0, 0x7fffffff));
    }
  });
  return end(to, 10);
};

/** X05: thousands of fields, fields of 64 KB, fields of nothing, enterprise ids cut off; then data for them. */
const strangeFields: Attack = (random, nowMs, out) => {
  const to = pen(out);
  const v = version(random);
  begin(to, v, nowMs, random.between(0, 7));
  const id = random.between(256, 260);
  const count = random.pick([0, 1, 2, 999, 1000, 1001, 5000]);
  set(to, v === 9 ? 0 : 2, () => {
    to.u16(id);
    to.u16(random.next() < 0.2 ? 0xffff : count);
    for (let i = 0; i < count; i++) {
      const enterprise = random.next() < 0.1 ? 0x8000 : 0;
      to.u16(random.pick(ELEMENTS) | enterprise);
      to.u16(random.pick([0, 0, 0, 1, 4, 0xfffe, 0xffff, 0xffff]));
      if (enterprise > 0 && v === 10 && random.next() < 0.9) to.u32(random.pick([0, 9, 29305, 0xffffffff]));
    }
  });
  set(to, id, () => {
    for (let n = random.between(0, 500); n > 0; n--) {
      const marker = random.pick([0, 1, 254, 255]);
      to.u8(marker);
      if (marker === 255) to.u16(random.pick([0, 1, 0xfffe, 0xffff]));
    }
  });
  return end(to, v);
};

/** L07: lengths in all forms, that fit, that do not, and that end the set in the middle of a number. */
const variableLengths: Attack = (random, nowMs, out) => {
  const to = pen(out);
  const v = version(random);
  begin(to, v, nowMs, random.between(0, 3));
  const id = random.between(256, 260);
  const fields = random.between(1, 40);
  set(to, v === 9 ? 0 : 2, () => {
    to.u16(id);
    to.u16(fields);
    for (let i = 0; i < fields; i++) {
      to.u16(random.pick(ELEMENTS));
      to.u16(random.next() < 0.8 ? 0xffff : random.pick([0, 1, 4, 16]));
    }
  });
  for (let sets = random.between(1, 4); sets > 0; sets--)
    set(to, id, () => {
      for (let n = random.between(1, 200); n > 0; n--) {
        const length = random.pick([0, 0, 1, 2, 3, 4, 8, 16, 40, 254]);
        if (random.next() < 0.3) {
          to.u8(255);
          if (random.next() < 0.1) return;
          to.u16(random.next() < 0.1 ? random.pick([0x7fff, 0xfffe, 0xffff]) : length);
        } else to.u8(length);
        for (let i = 0; i < length; i++) to.u8(random.between(0, 255));
      }
    });
  return end(to, v);
};

/** L16 (RFC 6313): lists in lists, that name their own template, that hold more than they are long. */
const structuredData: Attack = (random, nowMs, out) => {
  const to = pen(out);
  begin(to, 10, nowMs, 0);
  set(to, 2, () => {
    to.u16(256);
    to.u16(2);
    to.u16(random.pick([291, 292, 293]));
    to.u16(0xffff);
    to.u16(random.pick([291, 292, 293, 1]));
    to.u16(random.pick([0xffff, 4, 1000]));
  });
  const list = (depth: number): void => {
    to.u8(random.pick([0, 3, 4, 255]));
    to.u16(random.pick([291, 292, 293, 256, 0x8000 | 291]));
    to.u16(random.pick([0xffff, 0xffff, 0, 4]));
    if (random.next() < 0.2) to.u32(0);
    if (depth > 0) list(depth - 1);
    else to.u32(random.between(0, 0x7fffffff));
  };
  set(to, 256, () => {
    for (let n = random.between(1, 30); n > 0; n--) {
      to.u8(255);
      const at = to.at();
      to.u16(0);
      list(random.between(0, 200));
      to.patch16(at, random.next() < 0.8 ? to.at() - at - 2 : random.pick([0, 1, 0xffff]));
    }
  });
  return end(to, 10);
};

/** X03: one good record each, from somebody new. */
const madeUpExporters: Attack = (random, nowMs, out) => {
  const to = pen(out);
  to.u16(5);
  to.u16(1);
  to.u32(1_000_000);
  to.u32(Math.floor(nowMs / 1000));
  to.u32(0);
  to.u32(random.between(0, 0x7fffffff));
  to.u32(0);
  for (let i = 0; i < 12; i++) to.u32(random.between(0, 0x7fffffff));
  return to.at();
};

/** Q03, T14, C05: numbers that jump, clocks of any year, exporters that restart with each datagram, in many domains. */
const sequencesAndClocks: Attack = (random, nowMs, out) => {
  const to = pen(out);
  const u32 = (): number => Math.floor(random.next() * 0x1_0000_0000);
  if (random.next() < 0.5) {
    to.u32(5);
    to.u32(1);
    to.u32(u32());
    to.u32(random.between(0, 3));
    to.u32(u32());
    to.u32(u32());
    const samples = random.between(1, 100);
    to.u32(samples);
    for (let n = samples; n > 0; n--) {
      to.u32(1);
      to.u32(32);
      for (let i = 0; i < 8; i++) to.u32(i === 7 ? 0 : u32());
    }
    return to.at();
  }
  const v = version(random);
  to.u16(v);
  to.u16(v === 10 ? 16 : 1);
  if (v === 9) to.u32(u32());
  to.u32(random.next() < 0.3 ? Math.floor(nowMs / 1000) : u32());
  to.u32(u32());
  to.u32(random.between(0, 500));
  return to.at();
};

/** T08: data for templates that never come. */
const parkingFlood: Attack = (random, nowMs, out) => {
  const to = pen(out);
  const v = version(random);
  begin(to, v, nowMs, random.between(0, 0xffff));
  for (let n = random.between(1, 20); n > 0; n--)
    set(to, random.between(256, 65_535), () => {
      for (let words = random.between(1, 300); words > 0; words--) to.u32(0x01020304);
    });
  return end(to, v);
};

/** S, H: samples in numbers that cannot be, headers nested as deep as they fit. */
const sflowNesting: Attack = (random, _nowMs, out) => {
  const to = pen(out);
  const most = Math.min(out.length, MOST_BYTES);
  to.u32(5);
  to.u32(1);
  to.u32(random.between(0x0b000000, 0x0bffffff));
  for (let i = 0; i < 3; i++) to.u32(i);
  const samples = random.between(1, 20);
  to.u32(random.pick([samples, 0xffffffff, 0x7fffffff]));
  for (let n = samples; n > 0 && to.at() + 3000 < most; n--) {
    const sampleAt = to.at();
    to.u32(random.pick([1, 3]));
    to.u32(0);
    for (let i = 0; i < 8; i++) to.u32(i + 1);
    const recordAt = to.at();
    to.u32(1);
    to.u32(0);
    to.u32(1);
    to.u32(0xffff);
    to.u32(0);
    const lengthAt = to.at();
    to.u32(0);
    for (let i = 0; i < 12; i++) to.u8(i);
    nest(random, to, random.between(0, 100));
    while (to.at() % 4 !== 0) to.u8(0);
    to.patch32(lengthAt, random.next() < 0.1 ? 0xfffffff0 : to.at() - lengthAt - 4);
    to.patch32(recordAt + 4, random.next() < 0.05 ? 0xffffffff : to.at() - recordAt - 8);
    to.patch32(sampleAt + 4, to.at() - sampleAt - 8);
  }
  return to.at();
};

/** Tags, labels and packets in packets, `depth` of them. */
function nest(random: Random, to: Pen, depth: number): void {
  const kind = random.between(0, 3);
  if (kind === 0) {
    for (let i = 0; i < depth; i++) {
      to.u16(random.pick([0x8100, 0x88a8]));
      to.u16(i);
    }
    to.u16(0x0800);
    return;
  }
  if (kind === 1) {
    to.u16(0x8847);
    for (let i = 0; i < depth; i++) to.u32(i << 12);
    return;
  }
  to.u16(0x0800);
  for (let i = 0; i < Math.min(depth, 60); i++) {
    // IPv4 in IPv4, or IPv4 in GRE in IPv4.
    to.u32(0x45000400);
    to.u32(0);
    to.u8(64);
    to.u8(kind === 2 ? 4 : 47);
    to.u16(0);
    to.u32(0x0a000001);
    to.u32(0x0a000002);
    if (kind === 3) to.u32(0x00000800);
  }
}

/** By name, with how often each is drawn. */
export const ATTACKS: readonly { readonly name: string; readonly weight: number; readonly attack: Attack }[] = [
  { name: 'template flood', weight: 1, attack: templateFlood },
  { name: 'template and data', weight: 8, attack: templateAndData },
  { name: 'options flood', weight: 1, attack: optionsFlood },
  { name: 'strange fields', weight: 1, attack: strangeFields },
  { name: 'data without template', weight: 3, attack: parkingFlood },
  { name: 'sFlow nesting', weight: 2, attack: sflowNesting },
  { name: 'variable lengths', weight: 2, attack: variableLengths },
  { name: 'structured data', weight: 1, attack: structuredData },
  { name: 'made-up exporters', weight: 2, attack: madeUpExporters },
  { name: 'sequences and clocks', weight: 2, attack: sequencesAndClocks },
];
