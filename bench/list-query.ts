import type { Question } from './measure.ts';

/** The fields of a config that a member may see. */
export const LIST_FIELDS = [
  'id',
  'slug',
  'displayName',
  'description',
  'iconUrl',
  'authType',
  'availability',
  'enabled',
  'toolAllowList',
  'toolDenyList',
  'hasOAuth2Secret',
  'hasApiKey',
  'hasCustomHeaders',
  'authConnected',
  'viewerState',
  'version',
  'createdAt',
  'updatedAt',
] as const;

export const LIST_SIZE = 50;

/** The answer to the query. */
interface ListAnswer {
  data: { mcpServerConfigs: { nodes: Record<(typeof LIST_FIELDS)[number], unknown>[] } };
}

/** Returns the nodes. @throws if it is not a full list of full nodes */
function readNodes(answer: unknown): unknown {
  const nodes = (answer as Partial<ListAnswer>).data?.mcpServerConfigs.nodes;
  if (nodes === undefined) throw new Error(`no list: ${JSON.stringify(answer).slice(0, 500)}`);
  if (nodes.length !== LIST_SIZE) throw new Error(`${nodes.length} configs instead of ${LIST_SIZE}`);
  const incomplete = nodes.find((node) => LIST_FIELDS.some((field) => node[field] === undefined));
  if (incomplete !== undefined) throw new Error(`an incomplete config: ${JSON.stringify(incomplete)}`);
  return nodes;
}

const SAME = JSON.stringify({
  query: `query BenchList { mcpServerConfigs(first: ${LIST_SIZE}) { nodes { ${LIST_FIELDS.join(' ')} } } }`,
});

/** The same request again and again: the list. */
export const LIST: Question = { next: () => SAME, isConstant: true, read: readNodes };

/** How many different values the page size takes. There are only as many configs as the smallest asks for. */
const SIZES = 400;
const SWITCHES = ['a', 'b', 'c', 'd'];

/**
 * The same list, asked differently each time, so that no answer was given before: the page size and the directives vary,
 * and the nodes are the same.
 */
export function createFirstQuestion(): Question {
  const declared = SWITCHES.map((name) => `$${name}: Boolean!`).join(', ');
  const switched = SWITCHES.map((name) => `${name}: __typename @include(if: $${name})`).join(' ');
  const query = `query BenchFirst($first: Int!, ${declared}) {
    mcpServerConfigs(first: $first) { ${switched} nodes { ${LIST_FIELDS.join(' ')} } } }`;
  let count = 0;
  return {
    next() {
      const switches = SWITCHES.map((name, index) => [name, (Math.floor(count / SIZES) & (1 << index)) > 0]);
      const variables = { first: LIST_SIZE + (count % SIZES), ...Object.fromEntries(switches) };
      count += 1;
      return JSON.stringify({ query, variables });
    },
    isConstant: false,
    read: readNodes,
  };
}
