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

/** Discovery sends requests to other servers, which may be slow. */
const TIMEOUT_MS = 600_000;

/** The options of `gatehouse import`. */
interface ImportOptions {
  yes?: boolean;
  secrets?: string;
  /** Slugs of servers that are the same as the existing ones. */
  update?: string[];
  /** Slugs of servers that are not. */
  create?: string[];
}

/**
 * Imports a file through the running gateway. Prints the changes and, with `--yes`, applies them. Exits with 1 if a
 * server cannot be imported, or could not be.
 */
export async function importServers(file: string, options: ImportOptions): Promise<void> {
  const content = await readText(file);
  const secrets = await readSecrets(options.secrets);
  const answers = [
    ...(options.update ?? []).map((slug) => ({ slug, answer: 'UPDATE' })),
    ...(options.create ?? []).map((slug) => ({ slug, answer: 'CREATE' })),
  ];
  const dryRun = options.yes !== true;
  const { importMcpServers } = await requestGateway<ImportAnswer>(
    'importServers',
    { input: { content, dryRun, secrets, answers } },
    TIMEOUT_MS,
  );
  const { diff, servers } = importMcpServers;
  process.stdout.write(diff);
  if (servers.some(({ error, kind }) => error !== null || (!dryRun && kind === 'QUESTION'))) process.exitCode = 1;
  if (dryRun) {
    process.stdout.write('Nothing was changed. Repeat the command with --yes to apply the changes.\n');
    return;
  }
  for (const { slug, name, kind, applied, missingSecrets, error } of servers) {
    if (applied) process.stdout.write(`${kind === 'CREATE' ? 'Created' : 'Updated'} ${slug}.\n`);
    if (error !== null) process.stderr.write(`Failed to import ${slug ?? name}: ${error}\n`);
    if (kind === 'QUESTION') {
      process.stderr.write(`Skipped ${slug}: repeat the command with --update ${slug} or --create ${slug}.\n`);
    } else if (!applied && missingSecrets.length > 0) {
      process.exitCode = 1;
      for (const { placeholder } of missingSecrets) {
        process.stderr.write(`Skipped ${slug}: add "${placeholder}" to the --secrets file.\n`);
      }
    }
  }
}

/** Prints all servers in the export format, with placeholders for secrets. */
export async function exportServers(): Promise<void> {
  const { exportMcpServers } = await requestGateway<{ exportMcpServers: string }>('exportServers');
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
