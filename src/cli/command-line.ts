import { Command, InvalidArgumentError } from 'commander';
import { ConfigError, readConfig } from '../config.ts';
import { generateMasterKey } from '../crypto/master-key.ts';
import { describeFailure, exitCodeOf } from './failure.ts';

const JSON_OUTPUT = 'print JSON';

/** Runs the command given by the arguments. Sets the process's exit code; 2 means an invalid environment. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync([...argv]);
  } catch (error) {
    process.stderr.write(`gatehouse: ${describeFailure(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

/** Loads a command's module only when it runs: loading the gateway takes far longer than the other commands. */
function createProgram(): Command {
  const program = new Command('gatehouse').description(
    'A GraphQL gateway for admin-managed MCP servers. Settings are environment variables: see the README.',
  );

  program.hook('preAction', (_program, command) => warnAboutEnvironment(command.name()));

  program
    .command('serve')
    .description('run the gateway until SIGTERM or SIGINT')
    .action(async () => (await import('./serve.ts')).serve());

  program
    .command('migrate')
    .description('apply all pending database migrations, then exit')
    .action(async () => (await import('./migrate.ts')).migrate());

  const keys = program.command('keys').description('encryption keys');
  keys
    .command('generate')
    .description('print a new random key for GATEHOUSE_ENCRYPTION_KEYS')
    .action(() => void process.stdout.write(`${generateMasterKey()}\n`));
  keys
    .command('list')
    .description('list all keys, what they are used for and how many values they seal')
    .action(async () => (await import('./keys.ts')).listKeys());
  keys
    .command('rotate')
    .description(
      're-encrypt every value with the first key; gateways may keep running, and an interrupted run can be repeated',
    )
    .option('--dry-run', 'only count the values')
    .option('--new-key', 'first generate a new key and make it the first one (embedded database only)')
    .action(async (options) => (await import('./keys.ts')).rotateKeys(options));
  keys
    .command('verify')
    .description('decrypt every value; lists the values that fail and exits with 1 if there are any')
    .action(async () => (await import('./keys.ts')).verifyKeys());
  keys
    .command('revoke')
    .argument('<number>', 'the number of the key, as `gatehouse keys list` shows it', parseKeyNumber)
    .description('permanently revoke a key that no longer seals any value')
    .action(async (number) => (await import('./keys.ts')).revokeKey(number));

  program
    .command('import')
    .argument('<file>', "an MCP client's file (mcp.json and others), the registry's server.json, or an export")
    .description(
      'create and update MCP servers from a file, through the running gateway; without --yes, only shows the changes',
    )
    .option('--yes', 'apply the changes')
    .option('--secrets <file>', 'JSON file with the values of placeholders, by slug and placeholder name')
    .option(
      '--update <slugs...>',
      'these servers are the existing ones with their slugs, though name and origin differ',
    )
    .option('--create <slugs...>', 'these servers are new, and get free slugs')
    .action(async (file, options) => (await import('./transfer.ts')).importServers(file, options));
  program
    .command('export')
    .description('print all MCP servers as a file with placeholders for secrets, through the running gateway')
    .action(async () => (await import('./transfer.ts')).exportServers());

  const servers = program
    .command('servers')
    .description('MCP servers and their tools, through the running gateway with the admin token');
  servers
    .command('list')
    .description('list all servers, and whether they answered when they were last called')
    .option('--json', JSON_OUTPUT)
    .action(async (options) => (await import('./servers.ts')).listServers(options));
  servers
    .command('test')
    .argument('<slug>', 'the slug of the server')
    .description('test a server step by step; exits with 1 if a step fails')
    .option('--json', JSON_OUTPUT)
    .action(async (slug, options) => (await import('./servers.ts')).testServer(slug, options));
  servers
    .command('tools')
    .argument('<slug>', 'the slug of the server')
    .description('list the tools of a server as last listed, with the decision about each')
    .option('--json', JSON_OUTPUT)
    .action(async (slug, options) => (await import('./servers.ts')).listTools(slug, options));
  servers
    .command('call')
    .argument('<slug>', 'the slug of the server')
    .argument('<tool>', 'the exact name of the tool')
    .description('call a tool as the admin, and print its result; exits with 1 if it fails or is not allowed')
    .option('--arguments <json>', 'the arguments as a JSON object; - reads it from the standard input')
    .option('--json', JSON_OUTPUT)
    .action(async (slug, tool, options) => (await import('./servers.ts')).callTool(slug, tool, options));

  const audit = program.command('audit').description('the audit log');
  audit
    .command('verify')
    .description('verify the hash of every entry; exits with 1 if an entry was changed, removed or inserted')
    .action(async () => (await import('./audit.ts')).verifyAuditLog());

  const tokens = program.command('tokens').description('API tokens, through the running gateway with the admin token');
  tokens
    .command('list')
    .description("list every user's tokens")
    .action(async () => (await import('./tokens.ts')).listTokens());
  tokens
    .command('create')
    .description('create a token and print it; it is not shown again')
    .requiredOption('--user <email>', 'email address of the user')
    .requiredOption('--name <name>', 'a name to recognize it by')
    .option('--expires-in-days <days>', 'days until it expires (default: never)', parseDays)
    .action(async (options) => (await import('./tokens.ts')).createToken(options));
  tokens
    .command('revoke <id>')
    .description('immediately revoke a token and end the sessions created with it')
    .action(async (id) => (await import('./tokens.ts')).revokeToken(id));

  program
    .command('users')
    .description('users, through the running gateway with the admin token')
    .command('sign-in-link')
    .description('print a link that signs a user in with a browser, once, within an hour')
    .requiredOption('--user <email>', 'email address of the user')
    .action(async (options) => (await import('./users.ts')).createSignInLink(options));

  return program;
}

/** A misspelled setting also matters to commands. `serve` writes the same to its log. */
function warnAboutEnvironment(command: string): void {
  if (command === 'serve') return;
  try {
    for (const warning of readConfig().warnings) process.stderr.write(`gatehouse: ${warning}\n`);
  } catch (error) {
    // The command reports it, if it needs the settings at all.
    if (!(error instanceof ConfigError)) throw error;
  }
}

function parseKeyNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new InvalidArgumentError('Must be the number of a key, as `gatehouse keys list` shows it.');
}

function parseDays(text: string): number {
  const days = Number(text);
  if (Number.isFinite(days) && days > 0) return days;
  throw new InvalidArgumentError('Must be a number greater than 0.');
}
