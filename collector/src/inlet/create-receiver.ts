import { createDgramReceiver } from './dgram.ts';
import type { DatagramSink, Receiver, ReceiverConfig } from './receiver.ts';
import { createRecvmmsgReceiver, recvmmsgProblem } from './recvmmsg.ts';

/** The receiver that the configuration asks for; `auto` takes recvmmsg where it works. */
export function createReceiver(
  kind: 'auto' | 'recvmmsg' | 'dgram',
  config: ReceiverConfig,
  sink: DatagramSink,
): Receiver {
  if (kind === 'dgram') return createDgramReceiver(config, sink);
  const problem = recvmmsgProblem();
  if (problem === null) return createRecvmmsgReceiver(config, sink);
  if (kind === 'recvmmsg') throw new Error(`inlet.receiver is recvmmsg, but ${problem}; set it to auto or dgram`);
  return createDgramReceiver(config, sink);
}
