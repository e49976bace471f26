import { createSocket } from 'node:dgram';
import { decode, encode, type Answer, type Question } from 'dns-packet';

/** RFC 1035 4.1.1 and RFC 6891. */
const SERVFAIL = 2;
const NXDOMAIN = 3;

/** What a zone says about a name and type: records, that there is none, that the server fails, or nothing at all. */
export type Reply = readonly Answer[] | 'nxdomain' | 'servfail' | 'silent';

/** A name server on loopback that answers from a function and keeps a log of what it was asked. */
export interface TestNameServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly asked: string[];
  /** Questions that wait for {@link TestNameServer.delayMs} at this moment, and the most there were. */
  readonly waiting: { now: number; most: number };
  delayMs: number;
  close(): void;
}

export async function startNameServer(reply: (question: Question) => Reply): Promise<TestNameServer> {
  const socket = createSocket('udp4');
  const server: TestNameServer = {
    address: '',
    asked: [],
    waiting: { now: 0, most: 0 },
    delayMs: 0,
    close: () => socket.close(),
  };
  socket.on('message', (bytes, from) => {
    const { id, questions = [] } = decode(bytes);
    const [question] = questions;
    if (!question) return;
    server.asked.push(`${question.type} ${question.name}`);
    const said = reply(question);
    if (said === 'silent') return;
    const rcode = said === 'nxdomain' ? NXDOMAIN : said === 'servfail' ? SERVFAIL : 0;
    // Recursion available, and the code in the lowest four bits.
    const answer = encode({
      type: 'response',
      id: id ?? 0,
      flags: 0x0180 | rcode,
      questions,
      answers: typeof said === 'string' ? [] : [...said],
    });
    server.waiting.most = Math.max(server.waiting.most, ++server.waiting.now);
    setTimeout(() => {
      server.waiting.now--;
      socket.send(answer, from.port, from.address);
    }, server.delayMs);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return Object.assign(server, { address: `127.0.0.1:${socket.address().port}` });
}
