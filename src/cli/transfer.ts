import { readFile } from 'node:fs/promises';
import { askGateway } from './admin-client.ts';
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

/** Discovery asks other servers, each of which may take its time. */
const TIMEOUT_MS = 600_000;

/**
 * Imports a file through the running gateway. Prints what would be done, and does it when `--yes` is given. Ends with 1
 * when a server that should have been imported was not.
 */
export async function importServers(file: string, options: { yes?: boolean; secrets?: string }): Promise<void> {
  const content = await readText(file);
  const secrets = await readSecrets(options.secrets);
  const dryRun = options.yes !== true;
  const { importMcpServers } = await askGateway<ImportAnswer>(
    IMPORT,
    { input: { content, dryRun, secrets } },
    TIMEOUT_MS,
  );
  process.stdout.write(importMcpServers.diff);
  if (dryRun) {
    process.stdout.write('Nothing was changed; repeat it with --yes to do it.\n');
    return;
  }
  for (const { slug, name, kind, applied, missingSecrets, error } of importMcpServers.servers) {
    if (applied) process.stdout.write(`${kind === 'CREATE' ? 'Created' : 'Changed'} ${slug}.\n`);
    if (error !== null) process.stderr.write(`Not imported: ${slug ?? name}: ${error}\n`);
    for (const { placeholder } of applied ? [] : missingSecrets) {
      process.stderr.write(`Left out: ${slug}: give "${placeholder}" in the file of --secrets.
`);
    }
    if (error !== null || (!applied && missingSecrets.length > 0)) process.exitCode = 1;
  }
}

/** Prints all servers as a file, secrets as placeholders. */
export async function exportServers(): Promise<void> {
  const { exportMcpServers } = await askGateway<{ exportMcpServers: string }>('{ exportMcpServers }');
  process.stdout.write(exportMcpServers);
}

/** Secrets by slug and placeholder, from a file: what stands in a command line is for every user of the machine to see. */
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
