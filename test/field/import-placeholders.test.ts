import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Imports, openImports } from './import-client.ts';

// Placeholders in files from public bug reports and repositories.

let imports: Imports;
beforeAll(async () => {
  imports = await openImports();
});
beforeEach(() => imports.clear());
afterAll(() => imports?.gateway.close());

const file = (mcpServers: Record<string, unknown>) => ({ mcpServers });
const one = (entry: object) => file({ it: { url: 'https://it.example/mcp', ...entry } });

// I8 and its sisters: a placeholder that is stored as a secret is a broken server, and nobody sees why.
describe('a placeholder', () => {
  test.each([
    ['\u0024{{ secrets.X }}', 'secrets.X', 'v'],
    ['Bearer \u0024{{secrets.X}}', 'secrets.X', 'Bearer v'],
    ['{{ .Env.TOKEN }}', '.Env.TOKEN', 'v'],
    ['{{{TOKEN}}}', 'TOKEN', 'v'],
    ['{env:TOKEN}', 'env:TOKEN', 'v'],
    ['Bearer {file:~/.secrets/token}', 'file:~/.secrets/token', 'Bearer v'],
    ['\u0024(TOKEN)', 'TOKEN', 'v'],
    ['Bearer \u0024(cat ~/token | tr -d x)', 'X-K', 'Bearer v'],
    ['Bearer \u0024TOKEN', 'TOKEN', 'Bearer v'],
    ['Bearer \u0024token', 'token', 'Bearer v'],
    ['Bearer \u0024env:TOKEN', 'TOKEN', 'Bearer v'],
    ['%API_TOKEN%', 'API_TOKEN', 'v'],
    ['\u0024{TOKEN:?not set}', 'TOKEN', 'v'],
    ['os.environ/TOKEN', 'TOKEN', 'v'],
    ['Bearer os.environ/TOKEN', 'TOKEN', 'Bearer v'],
    ['process.env.TOKEN', 'TOKEN', 'v'],
    ["os.environ['TOKEN']", 'TOKEN', 'v'],
    ['env:TOKEN', 'TOKEN', 'v'],
    ['op://vault/item/field', 'X-K', 'v'],
    ['Bearer vault://secret/data/x#y', 'X-K', 'Bearer v'],
    ['arn:aws:secretsmanager:eu-west-1:1:secret:x', 'X-K', 'v'],
    ['ENC[AES256_GCM,data:abc,type:str]', 'X-K', 'v'],
    ['Bearer ghp_xxxxxxxxxxxx', 'X-K', 'Bearer v'],
    ['sk-...', 'X-K', 'v'],
    ['sk-proj-****', 'X-K', 'v'],
    ['Bearer YOUR API KEY', 'YOUR API KEY', 'Bearer v'],
    ['REPLACE_ME', 'REPLACE_ME', 'v'],
    ['insert-your-key', 'insert-your-key', 'v'],
    ['API_KEY_HERE', 'API_KEY_HERE', 'v'],
    ['changeme', 'X-K', 'v'],
    ['Bearer PLACEHOLDER', 'X-K', 'Bearer v'],
    ['Bearer _____', 'X-K', 'Bearer v'],
    ['Token token=your-token', 'your-token', 'Token token=v'],
  ])('%s is asked for as %s and filled', async (value, placeholder, sent) => {
    const entry = one({ headers: { 'X-K': value } });
    const dry = await imports.dryRun(entry);
    expect(dry.servers[0]?.missingSecrets).toMatchObject([{ placeholder, header: 'X-K', field: 'apiKeyValue' }]);
    expect((await imports.apply(entry)).servers[0]).toMatchObject({ applied: false, config: null });
    const { servers } = await imports.apply(entry, { secrets: { it: { [placeholder]: 'v' } } });
    expect(servers[0]).toMatchObject({ applied: true, error: null });
    expect(await imports.headersOf('it')).toEqual({ 'X-K': sent });
  });

  test.each([
    'Bearer ghp_16C7e42F292c6912E7710c838347Ae178B4a',
    'sk-proj-AbCd1234_efgh-5678',
    'xoxb-1234-5678-abcdEFGH',
    'dXNlcjpwYXNzd29yZA==',
    'a%20b%20c',
    '{"a": {"b": 1}}',
    'pa$$word$',
    'hereafter',
    'there-and-here-again',
  ])('is not seen in the secret %s', async (value) => {
    const { servers } = await imports.apply(one({ headers: { 'X-K': value } }));
    expect(servers[0]).toMatchObject({ applied: true, missingSecrets: [] });
    expect(await imports.headersOf('it')).toEqual({ 'X-K': value });
  });

  test.each([
    'https://\u0024{{ vars.HOST }}/mcp',
    'https://%TENANT%.example.com/mcp',
    'https://\u0024(HOST)/mcp',
    'os.environ/MCP_URL',
    '{env:MCP_URL}',
  ])('in the URL %s costs the entry', async (url) => {
    const { servers } = await imports.apply(file({ it: { url } }));
    expect(servers[0]).toMatchObject({ kind: 'SKIP', applied: false });
    expect(servers[0]?.notes[0]).toMatch(/^Its URL contains the placeholder/);
  });

  test('gets a value by its exact name; another name is told', async () => {
    const entry = one({ headers: { 'X-K': `\u0024{TOKEN}` } });
    const { notes, diff } = await imports.dryRun(entry, { secrets: { it: { TOKNE: 'v' }, its: { TOKEN: 'v' } } });
    expect(notes).toEqual([
      '"it" has no placeholder "TOKNE": its secret is not used. The nearest known one is "TOKEN".',
      'A secret is for "its", which the file does not have. The nearest known one is "it".',
    ]);
    expect(diff).toContain(`note: ${notes[0]}`);
  });
});
