// On both databases: concurrent creations of one row.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OidcVerifier } from '../../src/domain/credentials/oidc.ts';
import { NOBODY, type Viewer } from '../../src/policy/viewer.ts';
import { onMainDatabase } from '../setup/database.ts';
import { type HandmadeIssuer, startHandmadeIssuer } from '../setup/oidc-issuer.ts';
import { createOidcSigner, type OidcSigner } from '../setup/oidc-signer.ts';
import { ADMIN, AUDIENCE, type OidcBench, openOidcBench } from '../setup/oidc-verifier.ts';

let bench: OidcBench;
let issuer: HandmadeIssuer;
let signer: OidcSigner;
let verify: OidcVerifier;

beforeAll(async () => {
  bench = await openOidcBench();
  issuer = await startHandmadeIssuer();
  signer = await createOidcSigner();
  issuer.serve([signer]);
  verify = bench.verifier({ issuer: issuer.url });
  // Without another one, the first admin could not be demoted.
  const columns = { email: 'keeper@example.com', role: 'admin', status: 'active' } as const;
  await bench.store.users.create(ADMIN, { columns });
});

afterAll(async () => {
  await issuer?.close();
  await bench?.close();
});

/** A valid token of this subject. */
function tokenOf(sub: string, claims: Record<string, unknown> = {}): Promise<string> {
  const exp = Math.floor(bench.clock.now.getTime() / 1_000) + 60;
  return signer.sign({ iss: issuer.url, aud: AUDIENCE, exp, sub, ...claims });
}

function userIdOf(viewer: Viewer): string {
  if (viewer.kind !== 'user') throw new Error('nobody came');
  return viewer.userId;
}

async function userOf(viewer: Viewer) {
  const [user] = await bench.store.users.findByIds(ADMIN, { ids: [userIdOf(viewer)] });
  return user;
}

describe.runIf(onMainDatabase)('the role', () => {
  test.each([
    ['admin', 'admin'],
    ['AUDITOR', 'auditor'],
    ['service', 'service'],
    ['member', 'member'],
    [['member', 'service'], 'service'],
    [['service', 'auditor', 'member'], 'auditor'],
    [['staff', 'MEMBER', 'ADMIN'], 'admin'],
    [[], 'member'],
    [['staff', 7, null], 'member'],
    ['owner', 'member'],
    ['admin auditor', 'member'],
    [true, 'member'],
    [{ admin: true }, 'member'],
    [[['admin']], 'member'],
    [undefined, 'member'],
  ])('the claim %o means %s', async (claim, role) => {
    const sub = `role ${JSON.stringify(claim)}`;
    expect(await verify(await tokenOf(sub, { gatehouse_role: claim }))).toMatchObject({ role });
  });

  test('only the configured claim counts', async () => {
    const claims = { role: 'admin', roles: ['admin'], groups: ['admin'] };
    expect(await verify(await tokenOf('claims', claims))).toMatchObject({ role: 'member' });
    const byRoles = bench.verifier({ issuer: issuer.url, roleClaim: 'roles' });
    expect(await byRoles(await tokenOf('other claims', claims))).toMatchObject({ role: 'admin' });
  });

  test('inherited object properties are not claims', async () => {
    const inherited = bench.verifier({ issuer: issuer.url, roleClaim: 'constructor' });
    expect(await inherited(await tokenOf('inherited'))).toMatchObject({ role: 'member' });
  });

  test("the user's row follows the tokens", async () => {
    const first = await verify(await tokenOf('promoted', { gatehouse_role: 'admin' }));
    expect(await userOf(first)).toMatchObject({ role: 'admin' });
    const later = await verify(await tokenOf('promoted'));
    expect(userIdOf(later)).toBe(userIdOf(first));
    expect(later).toMatchObject({ role: 'member' });
    expect(await userOf(later)).toMatchObject({ role: 'member' });
  });

  test('is of the newest token, so that older ones with another role do not undo it', async () => {
    const iat = Math.floor(bench.clock.now.getTime() / 1_000) - 60;
    const old = await tokenOf('flip', { iat, gatehouse_role: 'admin' });
    const undated = await tokenOf('flip', { gatehouse_role: 'admin' });
    const newer = await tokenOf('flip', { iat: iat + 1 });
    const twin = await tokenOf('flip', { iat: iat + 1, gatehouse_role: 'auditor' });
    expect(await verify(old)).toMatchObject({ role: 'admin' });
    const viewer = await verify(newer);
    for (const token of [old, newer, undated, twin, old]) {
      expect(await verify(token)).toMatchObject({ role: 'member' });
      expect(await userOf(viewer)).toMatchObject({ role: 'member' });
    }
    const newest = await tokenOf('flip', { iat: iat + 2, gatehouse_role: 'service' });
    expect(await verify(newest)).toMatchObject({ role: 'service' });
  });

  test('that an admin decided is not undone by older tokens', async () => {
    const iat = Math.floor(bench.clock.now.getTime() / 1_000) - 60;
    const token = await tokenOf('decided', { iat, gatehouse_role: 'auditor' });
    const id = userIdOf(await verify(token));
    await bench.store.users.update(ADMIN, { id, columns: { role: 'member' }, now: bench.clock.now });
    expect(await verify(token)).toMatchObject({ role: 'member' });
    const later = await tokenOf('decided', { iat: iat + 120, gatehouse_role: 'auditor' });
    bench.clock.advance(120_000);
    const exp = Math.floor(bench.clock.now.getTime() / 1_000) + 60;
    expect(await verify(later)).toEqual(NOBODY);
    const valid = await tokenOf('decided', { iat: iat + 120, exp, gatehouse_role: 'auditor' });
    expect(await verify(valid)).toMatchObject({ role: 'auditor' });
  });

  test('of the last active admin is not taken away', async () => {
    const lonely = await openOidcBench();
    try {
      const check = lonely.verifier({ issuer: issuer.url });
      const iat = Math.floor(bench.clock.now.getTime() / 1_000) - 60;
      expect(await check(await tokenOf('one', { iat, gatehouse_role: 'admin' }))).toMatchObject({ role: 'admin' });
      const member = await tokenOf('one', { iat: iat + 1 });
      expect(await check(member)).toMatchObject({ role: 'admin' });
      await check(await tokenOf('two', { iat, gatehouse_role: 'admin' }));
      // Now there is another one.
      expect(await check(member)).toMatchObject({ role: 'member' });
    } finally {
      await lonely.close();
    }
  });

  test('can be mapped, and then only the mapped values count', async () => {
    const roleMap = new Map([
      ['Gatehouse Admins', 'admin'],
      ['eyes', 'auditor'],
    ] as const);
    const mapped = bench.verifier({ issuer: issuer.url, roleClaim: 'groups', roleMap });
    for (const [groups, role] of [
      ['eyes', 'auditor'],
      [['staff', 'eyes', 'Gatehouse Admins'], 'admin'],
      ['gatehouse admins', 'member'],
      ['admin', 'member'],
      [['constructor', 7], 'member'],
      [undefined, 'member'],
    ] as const) {
      expect(await mapped(await tokenOf(`mapped ${JSON.stringify(groups)}`, { groups }))).toMatchObject({ role });
    }
  });
});

describe.runIf(onMainDatabase)('who is admitted', () => {
  test.each<[string, Record<string, unknown>, boolean]>([
    ['a verified address of the domain', { email: 'a@example.com', email_verified: true }, true],
    ['the same in capitals, marked with text', { email: 'a@EXAMPLE.com', email_verified: 'true' }, true],
    ['an address that is not verified', { email: 'a@example.com', email_verified: false }, false],
    ['an address that nobody says is verified', { email: 'a@example.com' }, false],
    ['a subdomain', { email: 'a@sub.example.com', email_verified: true }, false],
    ['a domain that ends alike', { email: 'a@evil-example.com', email_verified: true }, false],
    ['a domain that begins alike', { email: 'a@example.com.evil.example', email_verified: true }, false],
    ['two addresses', { email: 'a@evil.example@example.com', email_verified: true }, false],
    ['no address', {}, false],
    ['an address that is a list', { email: ['a@example.com'], email_verified: true }, false],
  ])('by domain: %s', async (name, claims, isAdmitted) => {
    const check = bench.verifier({ issuer: issuer.url, emailDomains: ['example.com'] });
    expect((await check(await tokenOf(`domain ${name}`, claims))).kind).toBe(isAdmitted ? 'user' : 'nobody');
  });

  test('can be those who are users already', async () => {
    const known = await tokenOf('known');
    const id = userIdOf(await verify(known));
    const closed = bench.verifier({ issuer: issuer.url, allowsSignUp: false });
    expect(await closed(known)).toMatchObject({ userId: id });
    const { length } = (await bench.listUsers()).rows;
    expect(await closed(await tokenOf('unknown'))).toEqual(NOBODY);
    expect((await bench.listUsers()).rows).toHaveLength(length);
  });
});

describe.runIf(onMainDatabase)('the email address', () => {
  test('is the one in the token', async () => {
    expect(await userOf(await verify(await tokenOf('ada', { email: 'ada@example.com' })))).toMatchObject({
      email: 'ada@example.com',
    });
  });

  test.each([undefined, '', 'grace', 'a b@example.com', 'two@at@example.com', 'a\n@example.com', 7])(
    'is derived from the subject if the token has %o',
    async (email) => {
      const sub = `grace-${String(email).length}-${typeof email}`;
      expect(await userOf(await verify(await tokenOf(sub, { email })))).toMatchObject({ email: `${sub}@127.0.0.1` });
    },
  );

  test('is derived from the subject if the issuer says that it is not verified', async () => {
    const claims = { email: 'boss@example.com', email_verified: false };
    expect(await userOf(await verify(await tokenOf('mallory', claims)))).toMatchObject({ email: 'mallory@127.0.0.1' });
  });

  test('of another user does not turn the bearer into that user', async () => {
    const columns = { email: 'root@example.com', role: 'admin', status: 'active' } as const;
    const other = await bench.store.users.create(ADMIN, { columns });
    const viewer = await verify(await tokenOf('eve', { email: 'Root@Example.com' }));
    expect(userIdOf(viewer)).not.toBe(other.id);
    expect(viewer).toMatchObject({ role: 'member' });
    expect(await userOf(viewer)).toMatchObject({ email: 'eve@127.0.0.1' });
  });

  test('may be taken in both forms, and the bearer still gets their own account', async () => {
    const squatter = await verify(await tokenOf('squatter', { email: 'trent@127.0.0.1' }));
    const viewer = await verify(await tokenOf('Trent', { email: 'TRENT@127.0.0.1' }));
    expect(userIdOf(viewer)).not.toBe(userIdOf(squatter));
    expect(await userOf(viewer)).toMatchObject({ email: expect.stringMatching(/^[0-9a-f-]{36}@127\.0\.0\.1$/) });
  });

  test('of a subject with special characters is still one address', async () => {
    expect(await userOf(await verify(await tokenOf('name@corp.example')))).toMatchObject({
      email: expect.stringMatching(/^[^@]+@127\.0\.0\.1$/),
    });
  });
});

test('the same subject of another issuer is another user', async () => {
  const second = await startHandmadeIssuer();
  try {
    second.serve([signer]);
    const exp = Math.floor(bench.clock.now.getTime() / 1_000) + 60;
    const token = await signer.sign({ iss: second.url, aud: AUDIENCE, exp, sub: 'ada' });
    const theirs = await bench.verifier({ issuer: second.url })(token);
    expect(userIdOf(theirs)).not.toBe(userIdOf(await verify(await tokenOf('ada'))));
  } finally {
    await second.close();
  }
});

test('twenty concurrent first requests create one row', async () => {
  const token = await tokenOf('crowd', { email: 'crowd@example.com' });
  const viewers = await Promise.all(Array.from({ length: 20 }, () => verify(token)));
  expect(new Set(viewers.map(userIdOf)).size).toBe(1);
  const { rows } = await bench.listUsers();
  expect(rows.filter((row) => row.email.startsWith('crowd'))).toMatchObject([{ email: 'crowd@example.com' }]);
  expect(rows.filter((row) => row.id === userIdOf(viewers[0] ?? NOBODY))).toHaveLength(1);
});

test('a deleted user is locked out; a token issued later creates a new user', async () => {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const held = await tokenOf('deleted', { iat: nowSeconds });
  const undated = await tokenOf('deleted', { iat: undefined });
  const countless = await tokenOf('deleted', { iat: 1e300 });
  const id = userIdOf(await verify(held));
  expect(await bench.store.users.delete(ADMIN, { id })).toBe(true);
  for (const token of [held, undated, countless]) expect(await verify(token)).toEqual(NOBODY);

  const later = await tokenOf('deleted', { iat: nowSeconds + 5 });
  expect(userIdOf(await verify(later))).not.toBe(id);
  // The old token is not valid for the new user either.
  expect(await verify(held)).toEqual(NOBODY);
});

test('a suspended user is locked out immediately, and gets the same account back', async () => {
  const token = await tokenOf('suspended', { gatehouse_role: 'admin' });
  const id = userIdOf(await verify(token));
  await bench.store.users.update(ADMIN, { id, columns: { status: 'suspended' }, now: new Date() });
  expect(await verify(token)).toEqual(NOBODY);
  expect(await verify(await tokenOf('suspended', { gatehouse_role: 'service' }))).toEqual(NOBODY);
  await bench.store.users.update(ADMIN, { id, columns: { status: 'active' }, now: new Date() });
  expect(await verify(token)).toMatchObject({ userId: id });
});

test('a failing database is an error, not an unauthenticated caller', async () => {
  const findOidc = Object.assign(() => Promise.reject(new Error('connection lost')), {
    action: 'user.provision' as const,
  });
  const broken = bench.verifier({
    issuer: issuer.url,
    store: { ...bench.store, users: { ...bench.store.users, findOidc } },
  });
  await expect(broken(await tokenOf('ada'))).rejects.toThrow('connection lost');
});
