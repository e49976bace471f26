import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What Grafana sends to a webhook. */
export interface Notification {
  readonly status: 'firing' | 'resolved';
  /** As the contact point's template writes it. */
  readonly message: string;
  readonly alerts: readonly {
    readonly status: 'firing' | 'resolved';
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

/** Takes notifications on loopback and keeps them. */
export interface Webhook {
  readonly url: string;
  readonly notifications: readonly Notification[];
  close(): void;
}

export async function startWebhook(): Promise<Webhook> {
  const notifications: Notification[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      notifications.push(JSON.parse(body) as Notification);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, notifications, close: () => void server.close() };
}
