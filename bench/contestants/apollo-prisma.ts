import path from 'node:path';
import { parseArgs } from 'node:util';
import { ApolloServer } from 'apollo-server';
import { startStandaloneServer } from 'apollo-server/standalone';
import { GraphQLError } from 'graphql';
import { openEmbeddedDatabase } from '../../src/data/database/embedded-database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { PrismaClient } from '../../src/data/generated/client.ts';
import { hashToken } from '../../src/domain/credentials/token-format.ts';
import { resolvers, typeDefs } from './apollo-schema.ts';

// The usual way to write this server: Apollo with an SDL schema, the user in the context, and Prisma. Uses the same
// generated client and driver as the gateway, without the gateway's extension.
const { values } = parseArgs({
  options: { database: { type: 'string' }, folder: { type: 'string' } },
});
const database =
  values.database === undefined
    ? await openEmbeddedDatabase(path.join(values.folder ?? '.', 'database'))
    : await openServerDatabase(values.database);
const prisma = new PrismaClient({ adapter: database.adapterFactory });

async function findUserId(authorization = ''): Promise<string> {
  const tokenHash = hashToken(authorization.replace(/^Bearer /, ''));
  const token = await prisma.apiToken.findUnique({ where: { tokenHash }, include: { user: true } });
  const isGood = token !== null && token.revokedAt === null && (token.expiresAt?.getTime() ?? Infinity) > Date.now();
  if (!isGood || token.user.status !== 'active') {
    throw new GraphQLError('Who are you?', { extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } });
  }
  return token.userId;
}

await startStandaloneServer(new ApolloServer({ typeDefs, resolvers, introspection: false }), {
  listen: { port: Number(process.env['PORT']), host: '127.0.0.1' },
  context: async ({ req }) => ({ prisma, userId: await findUserId(req.headers.authorization) }),
});
