import { readFile } from 'node:fs/promises';
import { requestGateway } from './admin-client.ts';
import { CommandError } from './failure.ts';

interface ImportedServer {
  name: string;
  slug: string | null;
  kind: string;
  applied: boolean;
  missingSecrets: { placeholder: string }[];
  error: string | null;
}

interface ImportSecret {
  slug: string;
  placeholder: string;
  value: string;
}

interface ImportAnswer {
  importMcpServers: { diff: string; servers: ImportedServer[] };
}

const IMPORT = `mutation Import($input: ImportMcpServersInput!) {
  importMcpServers(input: $input) {
    diff
    servers { name slug kind applied missingSecrets { placeholder } error }
  }
}`;

/** Discovery sends requests to other servers, which may be slow. */
const TIMEOUT_MS = 600_000;

/**
 * Imports a file through the running gateway. Prints the changes and, with `--yes`, applies them. Exits with 1 if a
 * server could not be imported.
 */
export async function importServers(file: string, options: { yes?: boolean; secrets?: string }): Promise<void> {
  const content = await readText(file);
  const secrets = await readSecrets(options.secrets);
  const dryRun = options.yes !== true;
  const { importMcpServers } = await requestGateway<ImportAnswer>(
    IMPORT,
    { input: { content, dryRun, secrets } },
    TIMEOUT_MS,
  );
  process.stdout.write(importMcpServers.diff);
  if (dryRun) {
    process.stdout.write('Nothing was changed. Repeat the command with --yes to apply the changes.\n');
    return;
  }
  for (const { slug, name, kind, applied, missingSecrets, error } of importMcpServers.servers) {
    if (applied) process.stdout.write(`${kind === 'CREATE' ? 'Created' : 'Updated'} ${slug}.\n`);
    if (error !== null) process.stderr.write(`Failed to import ${slug ?? name}: ${error}\n`);
    for (const { placeholder } of applied ? [] : missingSecrets) {
      process.stderr.write(`Skipped ${slug}: add "${placeholder}" to the --secrets file.
`);
    }
    if (error !== null || (!applied && missingSecrets.length > 0)) process.exitCode = 1;
  }
}

/** Prints all servers in the export format, with placeholders for secrets. */
export async function exportServers(): Promise<void> {
  const { exportMcpServers } = await requestGateway<{ exportMcpServers: string }>('{ exportMcpServers }');
  process.stdout.write(exportMcpServers);
}

/** Reads secrets by slug and placeholder. From a file, because every user of the machine can see command lines. */
async function readSecrets(file: string | undefined): Promise<ImportSecret[]> {
  if (file === undefined) return [];
  const text = await readText(file);
  try {
    const bySlug = Object.entries(JSON.parse(text) as Record<string, Record<string, string>>);
    return bySlug.flatMap(([slug, values]) =>
      Object.entries(values).map(([placeholder, value]) => ({ slug, placeholder, value: String(value) })),
    );
  } catch {
    throw new CommandError(`${file} is not JSON such as {"github": {"secret:apiKeyValue": "…"}}.`);
  }
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`Cannot read ${file}: ${error.code ?? error.message}.`);
  });
}
