// What a user of the client package writes. It is copied beside an installed package and compiled there.

import { initGraphQLTada } from 'gql.tada';
import { parse } from 'graphql';
import { createGatehouseClient, GatehouseError, type TypedDocument } from 'mcp-gatehouse-client';
import type { introspection } from 'mcp-gatehouse-client/introspection';

const graphql = initGraphQLTada<{ introspection: introspection; scalars: { UUID: string; DateTime: string } }>();
const client = createGatehouseClient({ url: 'http://127.0.0.1:1/graphql', token: async () => 'gth_example' });

const List = graphql(`
  query List($first: Int) {
    mcpServerConfigs(first: $first) {
      nodes {
        slug
        viewerState
      }
    }
  }
`);
const Find = graphql(`
  query Find($id: UUID!) {
    mcpServerConfig(by: { id: $id }) {
      version
    }
  }
`);
const Follow = graphql(`
  subscription Follow($after: String, $includeInitial: Boolean) {
    mcpServerConfigEvents(after: $after, includeInitial: $includeInitial) {
      type
      cursor
      config {
        displayName
      }
    }
  }
`);
const FollowWithoutCursor = graphql(`
  subscription Follow($after: String, $includeInitial: Boolean) {
    mcpServerConfigEvents(after: $after, includeInitial: $includeInitial) {
      type
    }
  }
`);

// biome-ignore lint/correctness/noUnusedVariables: only compiled
async function compiled(): Promise<void> {
  const { mcpServerConfigs } = await client.request(List);
  const slug: string | undefined = mcpServerConfigs.nodes[0]?.slug;
  const { mcpServerConfig } = await client.request(Find, { id: 'x' }, { timeoutMs: 5 });
  const version: number | undefined = mcpServerConfig?.version;
  console.log(slug, version);
  // @ts-expect-error A variable that is required is missing.
  await client.request(Find);
  // @ts-expect-error It has another type.
  await client.request(Find, { id: 1 });
  // @ts-expect-error There is no such field in the result.
  console.log((await client.request(List, { first: 1 })).nothing);

  for await (const event of client.follow({ document: Follow, ifCursorLost: 'restart' })) {
    if (event.type !== 'RESET') {
      const name: string | undefined = event.config?.displayName;
      console.log(name, event.cursor);
      // @ts-expect-error The document does not select it.
      console.log(event.config?.slug);
    }
  }
  for await (const event of client.follow({ after: 'x' })) {
    if (event.type === 'RESET') console.log(event.reason);
    else console.log(event.config?.slug, event.changedFields.length);
  }
  // @ts-expect-error The document must select the cursor.
  client.follow({ document: FollowWithoutCursor });
  const byHand = parse('{ __typename }') as TypedDocument<{ __typename: string }, Record<string, never>>;
  console.log((await client.request(byHand)).__typename.trim());
}

try {
  await client.request(List, { first: 1 });
} catch (error) {
  if (error instanceof GatehouseError) console.log(error.code);
}
