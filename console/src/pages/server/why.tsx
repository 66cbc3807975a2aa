import { useQuery } from 'urql';
import {
  type McpServerCheckName,
  type McpServerCheckOutcome,
  WhyServerDocument,
  type WhyServerQuery,
} from '../../graph/generated/graphql.ts';
import { Failed } from '../../ui/failed.tsx';
import { Card, Section } from '../../ui/layout.tsx';
import { ListSkeleton } from '../../ui/skeleton.tsx';
import { Status, type Tone } from '../../ui/status.tsx';
import styles from './why.module.css';

const CHECKS: Readonly<Record<McpServerCheckName, string>> = {
  EXISTS: 'The server exists',
  VISIBLE: 'You may see it',
  ENABLED: 'It is turned on',
  AVAILABILITY: 'It is offered in chats',
  SELECTED: 'It is chosen for the chat',
  REACHABLE: 'It answers',
  CONNECTED: 'Your account is connected',
  TOOL_KNOWN: 'It has the tool',
  TOOL_ALLOWED: 'The tool is allowed',
  TOOL_APPROVED: 'The tool is approved',
};

/** The same about somebody else. */
const CHECKS_OF_OTHERS: Readonly<Record<McpServerCheckName, string>> = {
  ...CHECKS,
  VISIBLE: 'They may see it',
  CONNECTED: 'Their account is connected',
};

const OUTCOMES: Readonly<Record<McpServerCheckOutcome, { tone: Tone; text: string }>> = {
  PASSED: { tone: 'good', text: 'Yes' },
  FAILED: { tone: 'bad', text: 'No' },
  SKIPPED: { tone: 'quiet', text: 'Not checked' },
};

/** Why the viewer can use a server or not: each check in order, and for one that failed what would change it and who can. */
export function Why({ configId }: { configId: string }) {
  const [{ data, error }, ask] = useQuery({ query: WhyServerDocument, variables: { configId } });
  const explanation = data?.explainMcpServer;
  return (
    <Section title="Can I use it, and why?" lead={explanation?.summary}>
      {explanation === undefined && error === undefined && <ListSkeleton rows={1} />}
      {explanation === undefined && error !== undefined && (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      )}
      {explanation !== undefined && <Checks checks={explanation.checks} />}
    </Section>
  );
}

interface ChecksProps {
  checks: WhyServerQuery['explainMcpServer']['checks'];
  /** Whether they are about the viewer. */
  isOwn?: boolean;
}

/** The checks of an explanation, in order. Those that were not made are folded away. */
export function Checks({ checks, isOwn = true }: ChecksProps) {
  const skipped = checks.filter(({ outcome }) => outcome === 'SKIPPED');
  return (
    <>
      <CheckList checks={checks.filter(({ outcome }) => outcome !== 'SKIPPED')} isOwn={isOwn} />
      {skipped.length > 0 && (
        <details>
          <summary>Not checked ({skipped.length})</summary>
          <CheckList checks={skipped} isOwn={isOwn} />
        </details>
      )}
    </>
  );
}

function CheckList({ checks, isOwn }: Required<ChecksProps>) {
  const names = isOwn ? CHECKS : CHECKS_OF_OTHERS;
  return (
    <Card>
      <ol className={styles.checks}>
        {checks.map(({ name, outcome, reason, remedy }) => (
          <li key={name} className={styles.check}>
            <span className={styles.outcome}>
              <Status tone={OUTCOMES[outcome].tone}>{OUTCOMES[outcome].text}</Status>
            </span>
            <div className={styles.words}>
              <h3 className={styles.name}>{names[name]}</h3>
              <p className={styles.reason}>{reason}</p>
              {remedy !== null && (
                <p className={styles.remedy}>
                  <b>What helps:</b> {remedy}
                </p>
              )}
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}
