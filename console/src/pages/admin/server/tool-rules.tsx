import { useEffect, useState } from 'react';
import { useMutation } from 'urql';
import { useCan } from '../../../app/viewer.tsx';
import { codeOf } from '../../../graph/errors.ts';
import { Button } from '../../../ui/button.tsx';
import { CheckField, CheckGroup, ChoiceField } from '../../../ui/choice.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Form } from '../../../ui/form.tsx';
import { useNotify } from '../../../ui/notices.tsx';
import { Status } from '../../../ui/status.tsx';
import { type McpToolApproval, type ServerToolsQuery, UpdateServerDocument } from '../generated/graphql.ts';
import { Table } from '../parts/table.tsx';
import { UnsavedGuard } from '../parts/unsaved.tsx';
import { isSameRules, type Rule, type Rules, readRules, withRule } from './rules.ts';
import { ToolRow } from './tool-row.tsx';
import styles from './tools.module.css';

type Server = NonNullable<ServerToolsQuery['mcpServerConfig']>;

/** A tool of the table. */
export type Tool = Server['tools']['nodes'][number];

interface ToolRulesProps {
  server: Server;
  isApproving: boolean;
  onApprove: (tools: readonly Tool[]) => void;
  /** Asks for the server again. */
  reload: () => void;
}

/** The tools with the rule of each. Rules are saved together. */
export function ToolRules({ server, isApproving, onApprove, reload }: ToolRulesProps) {
  const mayUpdate = useCan('mcpServerConfig.update');
  const mayApprove = useCan('mcpServerTool.approve');
  const [base, setBase] = useState(() => ({ version: server.version, rules: readRules(server) }));
  const [rules, setRules] = useState<Rules>(base.rules);
  const [{ fetching, error }, update] = useMutation(UpdateServerDocument);
  const notify = useNotify();
  const isDirty = !isSameRules(rules, base.rules);
  // After a save, the server of before is known for a moment longer.
  const isOutdated = server.version > base.version && !fetching;

  const restart = (): void => {
    const stored = readRules(server);
    setBase({ version: server.version, rules: stored });
    setRules(stored);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when another version arrives
  useEffect(() => {
    if (isOutdated && !isDirty) restart();
  }, [isOutdated, isDirty]);

  const save = async (): Promise<void> => {
    const { allow, deny, approval, hasResources, hasPrompts } = rules;
    const lists = { toolAllowList: [...allow], toolDenyList: [...deny], toolApproval: approval };
    const input = { id: server.id, ...lists, exposeResources: hasResources, exposePrompts: hasPrompts };
    const { data, error: problem } = await update({ input: { ...input, expectedVersion: base.version } });
    if (codeOf(problem) === 'VERSION_MISMATCH') reload();
    if (data === undefined) return;
    setBase({ version: data.updateMcpServerConfig.mcpServerConfig.version, rules });
    notify('The rules are saved');
  };

  const setRule = (name: string, rule: Rule): void => setRules(withRule(rules, name, rule));
  const unknown = server.toolListWarnings ?? [];
  const isMismatch = codeOf(error) === 'VERSION_MISMATCH';
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        if (!fetching && isDirty && !isOutdated) void save();
      }}
    >
      {mayUpdate && (
        <ChoiceField
          label="Approval"
          name="approval"
          options={[
            { value: 'AUTO', text: 'Not needed', meaning: 'Tools may be used as the server lists them.' },
            {
              value: 'PIN',
              text: 'By an admin',
              meaning: 'A tool that is new, or that changed, waits until an admin approves it.',
            },
          ]}
          checkedValue={rules.approval}
          onChange={(event) => setRules({ ...rules, approval: event.target.value as McpToolApproval })}
        />
      )}
      {mayUpdate && (
        <CheckGroup label="Besides tools">
          <CheckField
            label="Resources"
            hint="Clients can list and read the server's resources. Nobody approves what is in them."
            checked={rules.hasResources}
            onChange={(event) => setRules({ ...rules, hasResources: event.target.checked })}
          />
          <CheckField
            label="Prompts"
            hint="Clients can list the server's prompts and use them. Nobody approves what they say."
            checked={rules.hasPrompts}
            onChange={(event) => setRules({ ...rules, hasPrompts: event.target.checked })}
          />
        </CheckGroup>
      )}
      <p>
        {rules.allow.length === 0
          ? 'There is no allow list: every tool may be used that is not denied.'
          : `Only the ${rules.allow.length === 1 ? 'tool' : `${rules.allow.length} tools`} on the allow list may be used.`}
      </p>
      {server.tools.nodes.length > 0 && (
        <Table label="All tools" head={['Tool', 'Now', 'Rule']}>
          {server.tools.nodes.map((tool) => (
            <ToolRow
              key={tool.id}
              tool={tool}
              rules={rules}
              onRule={mayUpdate ? setRule : undefined}
              onApprove={mayApprove ? () => onApprove([tool]) : undefined}
              isApproving={isApproving}
            />
          ))}
        </Table>
      )}
      {unknown.length > 0 && (
        <ul className={styles.unknown}>
          {unknown.map(({ list, name, similar }) => (
            <li key={`${list} ${name}`}>
              <Status tone="warn">Not a tool</Status> <code>{name}</code> is on the{' '}
              {list === 'ALLOW' ? 'allow list' : 'deny list'}, and the server has no such tool.
              {similar !== null && ` Do you mean ${similar}?`}{' '}
              {mayUpdate && [...rules.allow, ...rules.deny].includes(name) && (
                <Button onClick={() => setRule(name, 'none')}>Take {name} off the list</Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {error !== undefined && !isMismatch && <Failed error={error} />}
      {isOutdated && isDirty && (
        <p role="alert">
          <Status tone="warn">Changed meanwhile</Status> Somebody else changed this server while you were editing the
          rules. Begin again with what is stored now.
        </p>
      )}
      {mayUpdate && isDirty && (
        <div className={styles.buttons}>
          {!isOutdated && (
            <Button look="primary" type="submit" isBusy={fetching}>
              Save the rules
            </Button>
          )}
          <Button onClick={restart}>Discard changes</Button>
        </div>
      )}
      <UnsavedGuard isDirty={() => isDirty} />
    </Form>
  );
}
