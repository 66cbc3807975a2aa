import { Button } from '../../../ui/button.tsx';
import { Status, type Tone } from '../../../ui/status.tsx';
import type { McpToolDecision, McpToolWarning } from '../generated/graphql.ts';
import { Under } from '../parts/table.tsx';
import { type Rule, type Rules, ruleOf } from './rules.ts';
import { ToolChange } from './tool-change.tsx';
import type { Tool } from './tool-rules.tsx';
import styles from './tools.module.css';

const DECISIONS: Readonly<Record<McpToolDecision, { tone: Tone; text: string }>> = {
  ALLOWED: { tone: 'good', text: 'May be used' },
  DENIED: { tone: 'bad', text: 'Denied' },
  GONE: { tone: 'quiet', text: 'No longer listed' },
  NOT_ALLOWED: { tone: 'bad', text: 'Not on the allow list' },
  PENDING: { tone: 'warn', text: 'Waits for approval' },
};

const WARNINGS: Readonly<Record<McpToolWarning, string>> = {
  BIDI_CONTROLS: 'Its texts have characters that change the direction of writing.',
  INVISIBLE_CHARACTERS: 'Its texts have characters that cannot be seen, which can hide instructions.',
  LOOK_ALIKE_NAME: 'Its name looks like that of a tool of another server.',
  REMOTE_REFERENCE: 'A schema refers to another document, which the gateway never loads.',
  RENAMED: 'Models see it under a changed name, because they do not accept its own.',
};

interface ToolRowProps {
  tool: Tool;
  rules: Rules;
  /** Absent: the viewer may not change rules. */
  onRule: ((name: string, rule: Rule) => void) | undefined;
  /** Absent: the viewer may not approve tools. */
  onApprove: (() => void) | undefined;
  isApproving: boolean;
}

/** A tool: its words, what applies to it now, and its rule. */
export function ToolRow({ tool, rules, onRule, onApprove, isApproving }: ToolRowProps) {
  const { name, title, description, decision, warnings, annotations, change } = tool;
  const rule = ruleOf(rules, name);
  return (
    <tr>
      <th scope="row">
        <code>{name}</code>
        {title !== null && title !== name && <Under>{title}</Under>}
        {description !== null && <Under>{description}</Under>}
        {annotations.destructiveHint === true && <Under>It says that it may delete or overwrite.</Under>}
        {annotations.readOnlyHint === true && <Under>It says that it only reads.</Under>}
        {warnings.map((warning) => (
          <p key={warning} className={styles.warning}>
            {WARNINGS[warning]}
          </p>
        ))}
        {change !== null && <ToolChange change={change} />}
      </th>
      <td>
        <Status tone={DECISIONS[decision].tone}>{DECISIONS[decision].text}</Status>
        {decision === 'PENDING' && onApprove !== undefined && (
          <p className={styles.approve}>
            <Button isBusy={isApproving} onClick={onApprove} aria-label={`Approve: ${name}`}>
              Approve
            </Button>
          </p>
        )}
      </td>
      <td>
        {onRule === undefined ? (
          RULES[rule]
        ) : (
          <select
            className={styles.rule}
            aria-label={`Rule for ${name}`}
            value={rule}
            onChange={(event) => onRule(name, event.target.value as Rule)}
          >
            {Object.entries(RULES).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        )}
      </td>
    </tr>
  );
}

const RULES: Readonly<Record<Rule, string>> = { none: 'No rule', allow: 'Allow', deny: 'Deny' };
