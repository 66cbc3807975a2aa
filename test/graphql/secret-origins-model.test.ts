import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPrisma, type GatehousePrisma } from '../../src/data/database/prisma.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { CreateConfig, DeleteConfig, UpdateConfig } from '../setup/operations.ts';

let gateway: TestGateway;
let prisma: GatehousePrisma;

beforeAll(async () => {
  gateway = await createTestGateway();
  prisma = createPrisma(gateway.database, gateway.keyring);
});
afterAll(async () => {
  await prisma?.$disconnect();
  await gateway?.close();
});

const COLUMNS = {
  url: 'url',
  oauth2TokenUrl: 'oauth2_token_url',
  oauth2RevocationUrl: 'oauth2_revocation_url',
} as const;
type UrlField = keyof typeof COLUMNS;
const URL_FIELDS = Object.keys(COLUMNS) as UrlField[];
const SENT_TO = { oauth2ClientSecret: URL_FIELDS, apiKeyValue: ['url'] } as const;

/** Only SQL writes these; admins write the others. */
const STRANGERS = ['https://stranger-1.example.net', 'https://stranger-2.example.net'];

const urls = fc
  .tuple(
    fc.constantFrom('https://one.example.com', 'https://two.example.com', 'https://three.example.com'),
    fc.constantFrom('/a', '/b'),
  )
  .map((parts) => parts.join(''));
const secret = fc.option(fc.constantFrom('first', 'second'), { nil: null });
const update = fc
  .record(
    {
      url: urls,
      oauth2TokenUrl: urls,
      oauth2RevocationUrl: fc.option(urls),
      oauth2ClientSecret: secret,
      apiKeyValue: secret,
    },
    { requiredKeys: [] },
  )
  .map((patch) => ({ patch }));
const sql = fc.record({ field: fc.constantFrom(...URL_FIELDS), origin: fc.constantFrom(...STRANGERS) });
const steps = fc.array(fc.oneof({ weight: 3, arbitrary: update }, { weight: 1, arbitrary: sql }), {
  minLength: 3,
  maxLength: 8,
});

let slugs = 0;

async function create(): Promise<string> {
  slugs += 1;
  const url = 'https://one.example.com/a';
  const input = {
    displayName: 'Model',
    slug: `model-${slugs}`,
    url,
    authType: 'OAUTH2',
    oauth2ClientId: 'client',
    oauth2AuthUrl: url,
    oauth2TokenUrl: 'https://two.example.com/a',
    oauth2RevocationUrl: 'https://three.example.com/a',
    oauth2ClientSecret: 'first',
    apiKeyValue: 'first',
  } as const;
  const { data } = await gateway.execute(CreateConfig, { token: gateway.tokens.admin, variables: { input } });
  return data.createMcpServerConfig.id;
}

const readRow = (id: string) => prisma.mcpServerConfig.findUniqueOrThrow({ where: { id } });

/** Each stored secret opens for the present URLs that an admin wrote, and for no stranger. */
async function checkSecrets(id: string): Promise<void> {
  const row = await readRow(id);
  for (const [name, fields] of Object.entries(SENT_TO)) {
    const value = row[name as keyof typeof SENT_TO];
    if (value === null) continue;
    for (const stranger of STRANGERS) expect(() => value.openFor(stranger), `${name} for ${stranger}`).toThrow();
    const honest = fields.map((field) => row[field]).filter((url) => url !== '' && !STRANGERS.includes(url));
    if (honest.length > 0) expect(value.openFor(...honest).expose()).toMatch(/first|second/);
    const present = fields.map((field) => row[field]).filter((url) => url !== '');
    // Once no stranger is left, nothing opens for a URL that an admin has removed.
    if (present.length > honest.length) continue;
    expect(new Set(value.readOrigins())).toEqual(new Set(present.map((url) => new URL(url).origin)));
  }
}

test('after any updates by admins and changes by SQL, secrets go where admins sent them and nowhere else', async () => {
  let accepted = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const id = await create();
      const token = gateway.tokens.admin;
      for (const step of sequence) {
        if ('patch' in step) {
          const { errors } = await gateway.execute(UpdateConfig, { token, variables: { id, patch: step.patch } });
          for (const { extensions } of errors ?? []) expect(extensions?.['code']).toBe('VALIDATION_FAILED');
          if (errors === undefined) accepted += 1;
          else refused += 1;
        } else {
          // Without a stored secret nothing tells that a URL is of a stranger (docs/security.md).
          const { oauth2ClientSecret, apiKeyValue } = await readRow(id);
          if (oauth2ClientSecret === null || apiKeyValue === null) continue;
          await gateway.database.query(
            `UPDATE mcp_server_configs SET "${COLUMNS[step.field]}" = $1 WHERE id = $2::uuid`,
            [step.origin, id],
          );
        }
        await checkSecrets(id);
      }
      await gateway.execute(DeleteConfig, { token, variables: { id } });
    }),
    { numRuns: 12 },
  );
  // The sequences are drawn anew each time: usually each happens a dozen times.
  expect(accepted).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(0);
});
