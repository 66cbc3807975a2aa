import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/crypto/secret.ts';
import { toDraft } from '../../src/domain/configs/config-draft.ts';
import { checkDraft } from '../../src/domain/configs/config-rules.ts';
import { fillSecrets } from '../../src/domain/server-files/fill-secrets.ts';
import { parseServerFile } from '../../src/domain/server-files/parse-server-file.ts';
import { Issues } from '../../src/domain/validation/issues.ts';
import { DomainError, type ValidationIssue } from '../../src/errors.ts';
import { diffServers } from './diff-file.ts';

const { format, servers, skipped } = parseServerFile(
  await readFile(new URL('../../examples/servers.json', import.meta.url), 'utf8'),
);

describe('examples/servers.json', () => {
  test('has a dozen servers, all of which can be imported', () => {
    expect(format).toBe('gatehouse');
    expect(skipped).toEqual([]);
    expect(servers.length).toBeGreaterThanOrEqual(12);
    expect(diffServers({ servers, skipped }, []).every(({ kind }) => kind === 'create')).toBe(true);
  });

  test.each(servers.map((server) => [server.name, server] as const))('%s keeps the rules', (_name, server) => {
    const given = new Map(server.secrets.map(({ placeholder }) => [placeholder, new Secret('s3cret')]));
    const input = fillSecrets(server, given);
    const issues = new Issues();
    checkDraft(issues, { draft: toDraft(issues, input), input }, () => false);
    expect(listFound(issues)).toEqual([]);
    expect(server.notes).toEqual([]);
    expect(input.description).toMatch(/^[^\n]{20,120}\.$/);
    expect(new URL(input.url ?? '').protocol).toBe('https:');
  });

  test('enables exactly those that can be tried without an account', () => {
    const enabled = servers.filter(({ input }) => input.enabled === true);
    expect(enabled.length).toBeGreaterThanOrEqual(4);
    expect(servers.filter(({ input }) => input.authType === 'none')).toEqual(enabled);
  });

  test('holds no secret', () => {
    const filled = servers.filter(({ input }) => input.apiKeyValue ?? input.customHeaders ?? input.oauth2ClientSecret);
    expect(filled).toEqual([]);
  });
});

function listFound(issues: Issues): readonly ValidationIssue[] {
  try {
    issues.throwIfAny();
    return [];
  } catch (error) {
    if (error instanceof DomainError) return error.details['issues'] as ValidationIssue[];
    throw error;
  }
}
