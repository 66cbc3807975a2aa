/** Sends an operation as the gateway's admin. @throws with the errors of the answer */
export async function askAsAdmin<Data>(url: string, token: string, query: string, variables?: object): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

/** Switches a config on or off, or on and off again. */
export async function setEnabled(url: string, token: string, id: string, enabled: boolean): Promise<void> {
  const mutation = `mutation ($id: UUID!, $enabled: Boolean!) {
    updateMcpServerConfig(input: { id: $id, enabled: $enabled }) { mcpServerConfig { id } } }`;
  await askAsAdmin(url, token, mutation, { id, enabled });
}

const CREATE = `mutation ($input: CreateMcpServerConfigInput!) {
  createMcpServerConfig(input: $input) { mcpServerConfig { id } } }`;

type Created = { createMcpServerConfig: { mcpServerConfig: { id: string } } };

/** Creates a config with auth type `none`. @returns its id */
export async function createConfig(url: string, token: string, slug: string, enabled: boolean): Promise<string> {
  const input = { displayName: `~ ${slug}`, slug, url: 'https://mcp.example.com/mcp', enabled };
  const { createMcpServerConfig } = await askAsAdmin<Created>(url, token, CREATE, {
    input,
  });
  return createMcpServerConfig.mcpServerConfig.id;
}
