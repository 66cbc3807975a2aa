// On the embedded database: it shows the protocol.

import { auditServer } from 'graphql-http';
import { expect, test } from 'vitest';
import { createTestGateway } from '../setup/gateway.ts';

test('the GraphQL-over-HTTP audits pass, all 61 of them', async () => {
  const gateway = await createTestGateway();
  try {
    const results = await auditServer({
      url: `${gateway.config.publicUrl}/graphql`,
      fetchFn: (url: string, init: RequestInit = {}) => {
        const headers = new Headers(init.headers);
        headers.set('authorization', `Bearer ${gateway.tokens.member}`);
        return gateway.fetch(url, { ...init, headers });
      },
    });
    const failed = results.filter((result) => result.status !== 'ok');
    expect(
      failed.map(({ id, name, status, ...result }) => ({
        id,
        name,
        status,
        reason: 'reason' in result && result.reason,
      })),
    ).toEqual([]);
    expect(results).toHaveLength(61);
  } finally {
    await gateway.close();
  }
});
