import { Command, InvalidArgumentError } from 'commander';
import { generateMasterKey } from '../crypto/master-key.ts';
import { verifyAuditLog } from './audit.ts';
import { describeFailure, exitCodeOf } from './failure.ts';
import { listKeys, revokeKey, rotateKeys, verifyKeys } from './keys.ts';
import { migrate } from './migrate.ts';
import { serve } from './serve.ts';
import { createToken, listTokens, revokeToken } from './tokens.ts';
import { exportServers, importServers } from './transfer.ts';

/** Runs the command that the arguments name. Sets the process's exit code; 2 means that the environment is wrong. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync([...argv]);
  } catch (error) {
    process.stderr.write(`gatehouse: ${describeFailure(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

function createProgram(): Command {
  const program = new Command('gatehouse').description(
    'A GraphQL gateway for admin-managed MCP servers. Settings come from the environment: see the README.',
  );

  program.command('serve').description('run the gateway until SIGTERM or SIGINT').action(serve);

  program.command('migrate').description("bring the database to this build's schema, and end").action(migrate);

  const keys = program.command('keys').description('encryption keys');
  keys
    .command('generate')
    .description('print a new random key for GATEHOUSE_ENCRYPTION_KEYS')
    .action(() => void process.stdout.write(`${generateMasterKey()}\n`));
  keys.command('list').description('every key, what it is used for and how many values it seals').action(listKeys);
  keys
    .command('rotate')
    .description('seal every value with the first key, while gateways run; safe to stop and to repeat')
    .option('--dry-run', 'only count')
    .option('--new-key', 'make a new first key before (embedded database only)')
    .action(rotateKeys);
  keys
    .command('verify')
    .description('open every value; ends with 1 when one does not open, and says where it is')
    .action(verifyKeys);
  keys
    .command('revoke')
    .argument('<number>', 'which one', parseKeyNumber)
    .description('end a key that seals nothing any more, for good')
    .action(revokeKey);

  program
    .command('import')
    .argument('<file>', "mcp.json, VS Code's mcp.json, the registry's server.json, or an export")
    .description(
      'define and change MCP servers as a file says, through the running gateway; tells first what it would do',
    )
    .option('--yes', 'do it')
    .option('--secrets <file>', 'JSON with what the placeholders stand for, by slug and name')
    .action(importServers);
  program
    .command('export')
    .description('print all MCP servers as a file, secrets as placeholders, through the running gateway')
    .action(exportServers);

  const audit = program.command('audit').description('the audit log');
  audit
    .command('verify')
    .description('hash every entry anew; ends with 1 when one was changed, taken out or put in')
    .action(verifyAuditLog);

  const tokens = program.command('tokens').description('API tokens, through the running gateway with the admin token');
  tokens.command('list').description("every user's tokens").action(listTokens);
  tokens
    .command('create')
    .description('make a token and print it, once')
    .requiredOption('--user <email>', 'whose it is')
    .requiredOption('--name <name>', 'a name to know it by')
    .option('--expires-in-days <days>', 'when it ends; without, never', parseDays)
    .action(createToken);
  tokens.command('revoke <id>').description('end a token and the sessions opened with it, at once').action(revokeToken);

  return program;
}

function parseKeyNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new InvalidArgumentError('Must be the number of a key, as `gatehouse keys list` tells it.');
}

function parseDays(text: string): number {
  const days = Number(text);
  if (Number.isFinite(days) && days > 0) return days;
  throw new InvalidArgumentError('Must be a number above 0.');
}
