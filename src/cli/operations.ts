const PAGE_INFO = 'pageInfo { hasNextPage endCursor }';
const FAILURES = 'failures { table column id reason }';
/** With their schemas, more may be larger than one answer may be. */
const TOOLS_OF_PAGE = 10;

/** All operations that the commands send to a running gateway, which trusts them. */
export const OPERATIONS = {
  listServers: `query Servers($after: String) { mcpServerConfigs(first: 500, after: $after) {
    nodes { slug displayName url authType availability enabled reachability { state problem checkedAt } } ${PAGE_INFO} } }`,
  findServer: 'query Server($slug: String!) { mcpServerConfig(by: { slug: $slug }) { id } }',
  testServer: `mutation Test($id: UUID!) { testMcpServer(input: { id: $id }) {
    isOk steps { name outcome ms found advice problem } } }`,
  listTools: `query Tools($slug: String!, $after: String) { mcpServerConfig(by: { slug: $slug }) {
    tools(first: ${TOOLS_OF_PAGE}, after: $after) {
      nodes { name shownAs description inputSchema decision digest warnings } ${PAGE_INFO} } } }`,
  callTool: `mutation Call($input: CallMcpToolInput!) { callMcpTool(input: $input) {
    result { content structuredContent isError code connectUrl ms } } }`,
  importServers: `mutation Import($input: ImportMcpServersInput!) { importMcpServers(input: $input) {
    diff servers { name slug kind applied missingSecrets { placeholder } error } } }`,
  exportServers: 'query Export { exportMcpServers }',
  listUsers: `query Tokens($after: String) { users(first: 500, after: $after) {
    nodes { id email role apiTokens { id name expiresAt revokedAt lastUsedAt } } ${PAGE_INFO} } }`,
  createToken: 'mutation CreateToken($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }',
  revokeToken:
    'mutation RevokeToken($input: RevokeApiTokenInput!) { revokeApiToken(input: $input) { apiToken { id } } }',
  createSignInLink:
    'mutation SignInLink($input: CreateSignInLinkInput!) { createSignInLink(input: $input) { url expiresAt } }',
  verifyAuditLog:
    'mutation VerifyAuditLog { verifyAuditLog { verification { checked brokenAt problem head headHash } } }',
  listKeys:
    'query Keys { encryptionKeys { number digest status configured sealedValueCount uses { table column count } } }',
  addKey: 'mutation Add { addEncryptionKey { encryptionKey { number } } }',
  rotateKeys: `mutation Rotate($input: RotateEncryptionKeysInput!) { rotateEncryptionKeys(input: $input) {
    rotation { total resealed remaining ${FAILURES} } } }`,
  verifyValues: `mutation Verify { verifyEncryptedValues { verification { checked ${FAILURES} } } }`,
  revokeKey:
    'mutation Revoke($input: RevokeEncryptionKeyInput!) { revokeEncryptionKey(input: $input) { encryptionKey { number } } }',
} as const;

/** The name of an operation. */
export type OperationName = keyof typeof OPERATIONS;
