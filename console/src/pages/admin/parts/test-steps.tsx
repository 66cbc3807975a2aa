import { Card } from '../../../ui/layout.tsx';
import { Status, type Tone } from '../../../ui/status.tsx';
import type { McpServerTestOutcome, McpServerTestStepName, TestServerMutation } from '../generated/graphql.ts';
import styles from './steps.module.css';

const NAMES: Readonly<Record<McpServerTestStepName, string>> = {
  NAME: 'The name resolves',
  ADDRESS: 'The gateway may call the address',
  TLS: 'The certificate is valid',
  HTTP: 'The server answers',
  PROTOCOL: 'It speaks MCP',
  AUTHORIZATION_NOBODY: 'Without credentials',
  AUTHORIZATION_SECRET: 'With the shared secret',
  AUTHORIZATION_OWN: 'With your own connection',
  TOOLS: 'It lists its tools',
};

const OUTCOMES: Readonly<Record<McpServerTestOutcome, { tone: Tone; text: string }>> = {
  OK: { tone: 'good', text: 'Works' },
  FAILED: { tone: 'bad', text: 'Fails' },
  SKIPPED: { tone: 'quiet', text: 'Not checked' },
};

type Test = TestServerMutation['testMcpServer']['test'];

/** What was tried at a server, what was found, and what to do. What was not tried is folded away. */
export function TestSteps({ test: { steps } }: { test: Test }) {
  const skipped = steps.filter(({ outcome }) => outcome === 'SKIPPED');
  return (
    <>
      <Steps steps={steps.filter(({ outcome }) => outcome !== 'SKIPPED')} />
      {skipped.length > 0 && (
        <details>
          <summary>Not checked ({skipped.length})</summary>
          <Steps steps={skipped} />
        </details>
      )}
    </>
  );
}

function Steps({ steps }: Pick<Test, 'steps'>) {
  return (
    <Card>
      <ol>
        {steps.map(({ name, outcome, found, advice, problem }) => (
          <li key={name} className={styles.step}>
            <span>
              <Status tone={OUTCOMES[outcome].tone}>{OUTCOMES[outcome].text}</Status>
            </span>
            <div>
              <h3 className={styles.name}>{NAMES[name]}</h3>
              <p className={styles.soft}>
                {found} {problem !== null && <code>{problem}</code>}
              </p>
              {advice !== null && (
                <p>
                  <b>What to do:</b> {advice}
                </p>
              )}
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}
