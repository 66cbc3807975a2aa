// On both databases: the drivers' errors, which could reveal values.

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openEnvelope } from '../../src/crypto/envelope.ts';
import { Keyring } from '../../src/crypto/keyring.ts';
import type { FindRelation } from '../../src/data/sealing/relations.ts';
import { SEALING_KEY, SealingError, sealNewRow } from '../../src/data/sealing/seal-row.ts';
import { createWriteSealer } from '../../src/data/sealing/seal-write.ts';
import type { SealedModel } from '../../src/data/sealing/sealed-columns.ts';
import { sealText } from '../setup/sealed-text.ts';
import { newMasterKey } from './encryption-setup.ts';

/** The relations that matter here, as Prisma describes them; encryption-writes.test.ts uses Prisma itself. */
const RELATIONS: Record<string, { target: string; inverse: string }> = {
  'McpServerConfig.apiKeyValueKey': { target: 'EncryptionKey', inverse: 'apiKeyValues' },
  'McpServerConfig.createdBy': { target: 'User', inverse: 'createdConfigs' },
  'McpServerConfig.userTokens': { target: 'McpServerUserToken', inverse: 'config' },
  'McpServerUserToken.config': { target: 'McpServerConfig', inverse: 'userTokens' },
  'McpServerUserToken.user': { target: 'User', inverse: 'mcpServerTokens' },
  'User.createdConfigs': { target: 'McpServerConfig', inverse: 'createdBy' },
  'User.mcpServerTokens': { target: 'McpServerUserToken', inverse: 'user' },
  'EncryptionKey.apiKeyValues': { target: 'McpServerConfig', inverse: 'apiKeyValueKey' },
};
const findRelation: FindRelation = (model, field) => RELATIONS[`${model}.${field}`];
const seal = createWriteSealer(new Keyring([newMasterKey()]), findRelation);
const SECRET = sealText('secret');
const id = randomUUID();
const userId = randomUUID();

type Refusal = [name: string, model: string, operation: string, args: Record<string, unknown>, message: RegExp];

const refusals: Refusal[] = [
  [
    'an update by slug',
    'McpServerConfig',
    'update',
    { where: { slug: 'a' }, data: { apiKeyValue: SECRET } },
    /name the row by id/,
  ],
  ['an updateMany of all', 'McpServerConfig', 'updateMany', { data: { apiKeyValue: SECRET } }, /name the row by id/],
  [
    'an id that may be one of many',
    'McpServerConfig',
    'updateMany',
    { where: { id: { in: [id] } }, data: { apiKeyValue: SECRET } },
    /name the row by id/,
  ],
  [
    'an id in an OR',
    'McpServerConfig',
    'updateMany',
    { where: { OR: [{ id }] }, data: { apiKeyValue: SECRET } },
    /name the row by id/,
  ],
  [
    'an id in a NOT',
    'McpServerConfig',
    'updateManyAndReturn',
    { where: { NOT: { id } }, data: { apiKeyValue: SECRET } },
    /name the row by id/,
  ],
  [
    'an upsert by slug',
    'McpServerConfig',
    'upsert',
    { where: { slug: 'a' }, create: { apiKeyValue: SECRET }, update: { apiKeyValue: SECRET } },
    /name the row by id/,
  ],
  [
    'an id that is no UUID',
    'McpServerConfig',
    'update',
    { where: { id: `{${id}}` }, data: { apiKeyValue: SECRET } },
    /not a UUID/,
  ],
  [
    'a token without its user',
    'McpServerUserToken',
    'update',
    { where: { id }, data: { accessToken: SECRET } },
    /name the row by userId too/,
  ],
  [
    'a new token without its user',
    'McpServerUserToken',
    'create',
    { data: { accessToken: SECRET } },
    /name the row by userId too/,
  ],
  [
    'a key column set by hand',
    'McpServerConfig',
    'create',
    { data: { apiKeyValue: SECRET, apiKeyValueKeyId: 'abc' } },
    /not by hand/,
  ],
  [
    'a key column cleared by hand',
    'McpServerConfig',
    'update',
    { where: { id }, data: { apiKeyValueKeyId: null } },
    /not by hand/,
  ],
  [
    'the placeholder without a value',
    'McpServerConfig',
    'update',
    { where: { id }, data: { apiKeyValueKeyId: SEALING_KEY } },
    /not by hand/,
  ],
  [
    'a key relation set by hand',
    'McpServerConfig',
    'update',
    { where: { id }, data: { apiKeyValueKey: { disconnect: true } } },
    /not by hand/,
  ],
  [
    'rows given to a key',
    'EncryptionKey',
    'update',
    { where: { number: 1 }, data: { apiKeyValues: { connect: { id } } } },
    /not by hand/,
  ],
  [
    'a required value cleared',
    'McpServerUserToken',
    'update',
    { where: { id, userId }, data: { accessToken: null } },
    /takes what sealFor returns$/,
  ],
  [
    'a value that is no string',
    'McpServerConfig',
    'update',
    { where: { id }, data: { apiKeyValue: { increment: 'secret' } } },
    /takes what sealFor returns, or null/,
  ],
  [
    'a value that does not say where it may be sent',
    'McpServerConfig',
    'create',
    { data: { apiKeyValue: 'secret' } },
    /takes what sealFor returns, or null/,
  ],
  [
    'a change of the id',
    'McpServerConfig',
    'update',
    { where: { id }, data: { id: randomUUID() } },
    /id cannot change/,
  ],
  [
    'a change of the user',
    'McpServerUserToken',
    'updateMany',
    { where: { id }, data: { userId } },
    /userId cannot change/,
  ],
  [
    'another user by relation',
    'McpServerUserToken',
    'update',
    { where: { id }, data: { user: { connect: { id: userId } } } },
    /user cannot change/,
  ],
  [
    'foreign keys as relations',
    'McpServerConfig',
    'create',
    { data: { apiKeyValue: SECRET, createdBy: { connect: { id: userId } } } },
    /createdBy as a column/,
  ],
  [
    'a nested update by slug',
    'User',
    'update',
    { where: { id }, data: { createdConfigs: { update: { where: { slug: 'a' }, data: { apiKeyValue: SECRET } } } } },
    /name the row by id/,
  ],
  [
    'a nested upsert by slug',
    'User',
    'update',
    {
      where: { id },
      data: { createdConfigs: { upsert: [{ where: { slug: 'a' }, create: {}, update: { apiKeyValue: SECRET } }] } },
    },
    /name the row by id/,
  ],
  [
    'a nested updateMany of all',
    'User',
    'update',
    { where: { id }, data: { createdConfigs: { updateMany: { where: {}, data: { apiKeyValue: SECRET } } } } },
    /name the row by id/,
  ],
  [
    'a nested update without a filter',
    'McpServerUserToken',
    'update',
    { where: { id }, data: { config: { update: { apiKeyValue: SECRET } } } },
    /name the row by id/,
  ],
  [
    'a token under a user without an id',
    'User',
    'create',
    { data: { email: 'a', mcpServerTokens: { create: { accessToken: SECRET } } } },
    /name the row by userId too/,
  ],
  [
    'a token under a user by email',
    'User',
    'update',
    { where: { email: 'a' }, data: { mcpServerTokens: { createMany: { data: [{ accessToken: SECRET }] } } } },
    /name the row by userId too/,
  ],
  [
    'tokens given to a user',
    'User',
    'update',
    { where: { id }, data: { mcpServerTokens: { connect: [{ id }] } } },
    /userId cannot change/,
  ],
  [
    'all tokens of a user replaced',
    'User',
    'update',
    { where: { id }, data: { mcpServerTokens: { set: [] } } },
    /userId cannot change/,
  ],
  [
    'a token given or made',
    'User',
    'update',
    {
      where: { id },
      data: { mcpServerTokens: { connectOrCreate: { where: { id }, create: { accessToken: SECRET } } } },
    },
    /userId cannot change/,
  ],
  [
    'two levels down',
    'User',
    'update',
    { where: { id }, data: { createdConfigs: { create: { userTokens: { create: { accessToken: SECRET } } } } } },
    /name the row by userId too/,
  ],
  [
    'an operation that is not known',
    'McpServerConfig',
    'merge',
    { data: { apiKeyValue: SECRET } },
    /cannot seal the operation merge/,
  ],
  [
    'a nested operation that is not known',
    'User',
    'update',
    { where: { id }, data: { createdConfigs: { merge: { apiKeyValue: SECRET } } } },
    /cannot seal the nested operation merge/,
  ],
];

describe('a write that cannot be encrypted is refused without revealing its values:', () => {
  test.each(refusals)('%s', (_, model, operation, args, message) => {
    const run = () => seal(model, operation, args);
    expect(run).toThrow(SealingError);
    expect(run).toThrow(message);
    expect(run).not.toThrow(/secret/);
  });
});

describe('a write without secrets passes unchanged:', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['McpServerConfig', 'findMany', { where: { slug: 'a' }, include: { userTokens: true } }],
    ['McpServerConfig', 'update', { where: { slug: 'a' }, data: { displayName: 'A', apiKeyValue: undefined } }],
    ['McpServerConfig', 'update', { where: { slug: 'a' }, data: { createdBy: { connect: { id: userId } } } }],
    ['McpServerConfig', 'update', { where: { slug: 'a' }, data: { userTokens: { deleteMany: {} } } }],
    ['McpServerUserToken', 'updateMany', { where: { userId }, data: { version: { increment: 1 } } }],
    ['User', 'update', { where: { email: 'a' }, data: { createdConfigs: { connect: [{ id }] } } }],
    ['User', 'update', { where: { email: 'a' }, data: { mcpServerTokens: { deleteMany: {}, connect: undefined } } }],
    ['EncryptionKey', 'updateMany', { where: { number: 1 }, data: { activeDigest: null } }],
  ])('%s %s %j', (model, operation, args) => {
    expect(seal(model, operation, args)).toEqual(args);
  });
});

describe('a table with text ids', () => {
  const key = newMasterKey();
  const model: SealedModel = {
    model: 'Flow',
    table: 'flows',
    id: { field: 'stateHash', column: 'state_hash', type: 'text' },
    parents: [],
    columns: [
      {
        field: 'verifier',
        column: 'verifier',
        keyField: 'verifierKeyId',
        keyColumn: 'verifier_key_id',
        nullable: false,
        destinations: { in: 'row', urls: [{ field: 'url', column: 'url' }] },
      },
    ],
  };

  test('encrypts a value for exactly this text', () => {
    const row = sealNewRow(model, { stateHash: 'AbC', verifier: sealText('text') }, new Keyring([key]), undefined);
    expect(row).toMatchObject({ stateHash: 'AbC', verifierKeyId: key.digest });
    const place = { table: 'flows', column: 'verifier', rowId: 'AbC', ownerId: undefined };
    expect(openEnvelope(key, String(row['verifier']), place)).toEqual({
      text: 'text',
      origins: ['https://mcp.example.com'],
    });
  });

  test('refuses a write without it', () => {
    expect(() => sealNewRow(model, { verifier: sealText('text') }, new Keyring([key]), undefined)).toThrow(
      /its stateHash/,
    );
  });
});
