import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

/** The options of an import. `secrets` are by slug and placeholder, `answers` by slug. */
export interface ImportOptions {
  dryRun?: boolean;
  secrets?: Record<string, Record<string, string>>;
  answers?: Record<string, 'UPDATE' | 'CREATE'>;
}

export interface ImportedServer {
  name: string;
  slug: string | null;
  kind: string;
  applied: boolean;
  error: string | null;
  notes: string[];
  missingSecrets: { placeholder: string; field: string; header: string | null; description: string }[];
  config: any;
}

export interface ImportReport {
  diff: string;
  notes: string[];
  servers: ImportedServer[];
  errors: any[] | undefined;
}

const IMPORT = `mutation ($input: ImportMcpServersInput!) { importMcpServers(input: $input) { diff notes servers {
  name slug kind applied error notes missingSecrets { placeholder field header description }
  config { id slug displayName url transport authType apiKeyHeader enabled toolAllowList toolDenyList description iconUrl
    oauth2ClientId oauth2Scopes hasApiKey hasCustomHeaders hasOAuth2Secret } } } }`;

/** A gateway of its own, and the door through which an admin imports files. */
export async function openImports(env: Record<string, string> = {}) {
  const gateway: TestGateway = await createTestGateway({ env });
  const call = async (file: unknown, { dryRun, secrets = {}, answers = {} }: ImportOptions): Promise<ImportReport> => {
    const input = {
      content: typeof file === 'string' ? file : JSON.stringify(file),
      dryRun,
      secrets: Object.entries(secrets).flatMap(([slug, values]) =>
        Object.entries(values).map(([placeholder, value]) => ({ slug, placeholder, value })),
      ),
      answers: Object.entries(answers).map(([slug, answer]) => ({ slug, answer })),
    };
    const { data, errors } = await gateway.graphql(IMPORT, { token: gateway.tokens.admin, variables: { input } });
    return { ...(data?.importMcpServers ?? { diff: '', notes: [], servers: [] }), errors };
  };
  return {
    gateway,
    dryRun: (file: unknown, options: ImportOptions = {}) => call(file, { ...options, dryRun: true }),
    apply: (file: unknown, options: ImportOptions = {}) => call(file, { ...options, dryRun: false }),
    /** Everything that is sent to a server, by header. */
    async headersOf(slug: string): Promise<Record<string, string> | string> {
      const { data } = await gateway.graphql(`{ mcpServerConfig(slug: "${slug}") { id enabled } }`, {
        token: gateway.tokens.admin,
      });
      const { id, enabled } = data.mcpServerConfig;
      if (!enabled) await setEnabled(gateway, id);
      const result = await gateway.serverHeaders.get({ userId: gateway.userIds.member, configId: id });
      if (result.state !== 'ready') return result.state;
      return Object.fromEntries(result.headers.map(({ name, value }) => [name, value.expose()]));
    },
    /** Deletes all servers. */
    async clear(): Promise<void> {
      const { data } = await gateway.graphql('{ mcpServerConfigs(first: 200) { nodes { id } } }', {
        token: gateway.tokens.admin,
      });
      for (const { id } of data.mcpServerConfigs.nodes) {
        const mutation = `mutation { deleteMcpServerConfig(id: "${id}") { deletedId } }`;
        await gateway.graphql(mutation, { token: gateway.tokens.admin });
      }
    },
    /** The URL of each server, by slug. */
    async urls(): Promise<Record<string, string>> {
      const { data } = await gateway.graphql('{ mcpServerConfigs(first: 200) { nodes { slug url } } }', {
        token: gateway.tokens.admin,
      });
      return Object.fromEntries(data.mcpServerConfigs.nodes.map(({ slug, url }: any) => [slug, url]));
    },
  };
}

export type Imports = Awaited<ReturnType<typeof openImports>>;

async function setEnabled(gateway: TestGateway, id: string): Promise<void> {
  const mutation = `mutation { updateMcpServerConfig(id: "${id}", patch: { enabled: true }) { id } }`;
  const { errors } = await gateway.graphql(mutation, { token: gateway.tokens.admin });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
}
