import { print } from 'graphql';
import type { Role } from '../../src/policy/viewer.ts';
import { UpdateUser } from './operations.ts';

/** The users of a test gateway, and their bearer tokens. */
export interface People {
  /** Of an existing user of each role. `suspended` is a member who was suspended after they got it. */
  tokens: Record<Role | 'suspended' | 'bootstrap', string>;
  userIds: Record<Role | 'suspended', string>;
}

type Person = Role | 'suspended';

const ROLE_NAMES: Record<Person, string> = {
  admin: 'ADMIN',
  auditor: 'AUDITOR',
  service: 'SERVICE',
  member: 'MEMBER',
  suspended: 'MEMBER',
};
const PERSONS = Object.keys(ROLE_NAMES) as Person[];

type Post = (query: string, variables: unknown) => Promise<{ data: any; errors?: unknown[] }>;

/** Creates a user of each role, with a token each. */
export async function createPeople(options: {
  /** The bootstrap token. */
  bootstrap: string;
  /** Posts a GraphQL operation with this token. */
  post: Post;
  /** When the tokens expire. Default: never. */
  expiresAt?: Date;
}): Promise<People> {
  const { bootstrap, post, expiresAt } = options;
  const users = await forEachPerson(post, 'createUser', 'id', (person) => ({
    email: `${person}@example.com`,
    role: ROLE_NAMES[person],
  }));
  const userIds = mapPeople<string>((person) => users[person].id);
  const created = await forEachPerson(post, 'createApiToken', 'token', (person) => ({
    userId: userIds[person],
    name: `${person} token`,
    ...(expiresAt !== undefined && { expiresAt }),
  }));
  const { errors } = await post(print(UpdateUser), { id: userIds.suspended, patch: { status: 'SUSPENDED' } });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return { userIds, tokens: { bootstrap, ...mapPeople<string>((person) => created[person].token) } };
}

/** Runs a mutation for each person in one operation, which is faster than one each. */
async function forEachPerson(post: Post, field: string, result: string, toInput: (person: Person) => object) {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input!`;
  const fields = PERSONS.map((person) => `${person}: ${field}(input: $${person}) { ${result} }`);
  const query = `mutation (${PERSONS.map((person) => `$${person}: ${type}`).join(' ')}) { ${fields.join(' ')} }`;
  const { data, errors } = await post(query, mapPeople(toInput));
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

function mapPeople<Value>(toValue: (person: Person) => Value): Record<Person, Value> {
  return Object.fromEntries(PERSONS.map((person) => [person, toValue(person)])) as Record<Person, Value>;
}
