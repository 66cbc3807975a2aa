import fc from 'fast-check';

/** A generated read of configs. */
export interface ListDocument {
  /** The text; `extra` is one more root field in each operation. */
  print(extra?: string): string;
  operationName: string;
  variables: Record<string, unknown>;
}

/** Fields whose values are texts, numbers or lists. */
const LEAVES = [
  ...[
    'id',
    'slug',
    'displayName',
    'description',
    'iconUrl',
    'iconHref',
    'authType',
    'availability',
    'enabled',
    'toolAllowList',
  ],
  ...['toolDenyList', 'hasOAuth2Secret', 'hasApiKey', 'hasCustomHeaders', 'version', 'createdAt', 'updatedAt', 'url'],
  ...['transport', 'oauth2ClientId', 'oauth2AuthUrl', 'oauth2TokenUrl', 'oauth2RevocationUrl', 'oauth2Issuer'],
  ...['oauth2Scopes', 'oauth2ResourceMode', 'apiKeyHeader', 'authConnected', 'viewerState', 'viewerStateReason'],
  ...['connectedUserCount', 'createdBy { id }', 'updatedBy { email }', '__typename'],
];
const PAGE_INFO = ['hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor'];

const selection = fc
  .array(
    fc.tuple(
      fc.constantFrom(...LEAVES),
      fc.constantFrom('', '', 'x: '),
      fc.constantFrom(...Array(12).fill(''), ' @include(if: $flag)', ' @skip(if: $flag)'),
      fc.constantFrom('', '', '', '', '', '... on McpServerConfig', '... @include(if: $flag)'),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((fields) =>
    // The same alias for different fields would be a conflict.
    fields.map(([field, alias, directive, wrapper], index) => {
      const [name = '', ...rest] = field.split(' ');
      const text = `${alias === '' ? '' : `x${index}: `}${[`${name}${directive}`, ...rest].join(' ')}`;
      return wrapper === '' ? text : `${wrapper} { ${text} }`;
    }),
  )
  .map((fields) => fields.join(' '));

const list = fc
  .tuple(
    selection,
    fc.constantFrom(
      ...['', '(first: $first)', '(first: 2)', '(filter: $filter)', '(first: 3, filter: { enabled: true })'],
      ...['(filter: { viewerState: READY })', '(first: 1, filter: { viewerState: NEEDS_CONNECT })'],
    ),
    fc.constantFrom('nodes', 'edges', 'both', 'fragment'),
    fc.subarray(PAGE_INFO),
    fc.boolean(),
  )
  .map(([fields, args, shape, pageInfo, hasTotal]) => {
    const nodes = `nodes { ${fields} }`;
    const edges = `edges { cursor node { ${shape === 'fragment' ? `...Part` : fields} } }`;
    const parts = { nodes, edges, both: `${nodes} ${edges}`, fragment: edges };
    const rest = `${pageInfo.length > 0 ? ` pageInfo { ${pageInfo.join(' ')} }` : ''}${hasTotal ? ' totalCount' : ''}`;
    return {
      field: `mcpServerConfigs${args} { ${parts[shape]}${rest} }`,
      fragment: shape === 'fragment' ? fields : '',
    };
  });

const one = fc.tuple(selection, fc.boolean()).map(([fields, isFragment]) => ({
  field: `mcpServerConfig(slug: $slug) { ${isFragment ? '...Part' : fields} }`,
  fragment: isFragment ? fields : '',
}));

const operation = fc.array(fc.oneof(list, one), { minLength: 1, maxLength: 2 }).map((fields) => ({
  text: fields.map(({ field }, index) => `r${index}: ${field}`).join(' '),
  fragments: fields.map(({ fragment }) => fragment).filter((fragment) => fragment !== ''),
}));

const DECLARATIONS = '($first: Int, $filter: McpServerConfigFilter, $slug: String, $flag: Boolean = true)';

const variables = fc.record(
  {
    first: fc.constantFrom<unknown>(0, 1, 1, 2, 2, 3, 50, 50, null, 501),
    filter: fc.constantFrom<unknown>(
      { enabled: true },
      { enabled: false },
      { authType: 'OAUTH2' },
      { viewerState: 'READY' },
      { viewerState: 'NEEDS_CONNECT' },
      { search: 'b' },
      {},
    ),
    slug: fc.constantFrom('server-0', 'server-1', 'server-2', 'none'),
    flag: fc.constantFrom<unknown>(true, false),
    undeclared: fc.constantFrom<unknown>('a', ['b']),
  },
  { requiredKeys: ['slug'] },
);

/** Lists and single configs with any fields, aliases, fragments, directives, arguments and variables, also wrong ones. */
export const listDocuments: fc.Arbitrary<ListDocument> = fc
  .tuple(operation, operation, variables, fc.constantFrom('A', 'A', 'B'))
  .map(([first, second, values, operationName]) => ({
    print(extra = '') {
      const operations = operationName === 'A' ? [first] : [first, second];
      const texts = operations.map(
        ({ text }, index) => `query ${index === 0 ? 'A' : 'B'}${DECLARATIONS} { ${text} ${extra} ${USE_ALL} }`,
      );
      const [part] = operations.flatMap(({ fragments }) => fragments);
      const fragment = part === undefined ? [] : [`fragment Part on McpServerConfig { ${part} }`];
      return [...texts, ...fragment].join(' ');
    },
    operationName,
    variables: values,
  }));

/** GraphQL refuses operations that do not use each variable that they declare. */
const USE_ALL =
  'all: mcpServerConfigs(first: $first, filter: $filter) { totalCount } used: mcpServerConfig(slug: $slug) { id @include(if: $flag) }';
