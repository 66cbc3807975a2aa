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

/** The request body that every contestant gets. */
export const LIST_REQUEST = JSON.stringify({
  query: `query BenchList { mcpServerConfigs(first: ${LIST_SIZE}) { nodes { ${LIST_FIELDS.join(' ')} } } }`,
});

/** The answer to the query. */
interface ListAnswer {
  data: { mcpServerConfigs: { nodes: Record<(typeof LIST_FIELDS)[number], unknown>[] } };
}

/** Says what is wrong with an answer that is not a full list of full nodes. Undefined if it is good. */
export function describeIncomplete(answer: unknown): string | undefined {
  const nodes = (answer as Partial<ListAnswer>).data?.mcpServerConfigs.nodes;
  if (nodes === undefined) return `no list: ${JSON.stringify(answer).slice(0, 500)}`;
  if (nodes.length !== LIST_SIZE) return `${nodes.length} configs instead of ${LIST_SIZE}`;
  const incomplete = nodes.find((node) => LIST_FIELDS.some((field) => node[field] === undefined));
  return incomplete === undefined ? undefined : `an incomplete config: ${JSON.stringify(incomplete)}`;
}
