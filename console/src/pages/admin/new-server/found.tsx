import type { Ref } from 'react';
import { CopyText } from '../../../ui/copy.tsx';
import { Card } from '../../../ui/layout.tsx';
import { Status, type Tone } from '../../../ui/status.tsx';
import type {
  DiscoverOAuthMutation,
  OAuthClientMode,
  OAuthDiscoveryOutcome,
  OAuthDiscoveryStepName,
  TestServerMutation,
} from '../generated/graphql.ts';
import steps from '../parts/steps.module.css';
import { TestSteps } from '../parts/test-steps.tsx';
import styles from './new-server.module.css';

type Discovery = DiscoverOAuthMutation['discoverMcpServerOAuth']['discovery'];

const STEPS: Readonly<Record<OAuthDiscoveryStepName, string>> = {
  CHALLENGE: 'What the server answers without a token',
  PROTECTED_RESOURCE_METADATA: 'What the server says about its sign-in',
  AUTHORIZATION_SERVER_METADATA: 'What the authorization server says about itself',
};

const OUTCOMES: Readonly<Record<OAuthDiscoveryOutcome, { tone: Tone; text: string }>> = {
  FOUND: { tone: 'good', text: 'Found' },
  ABSENT: { tone: 'quiet', text: 'Not there' },
  FAILED: { tone: 'bad', text: 'Not usable' },
};

const CLIENTS: Readonly<Record<OAuthClientMode, string>> = {
  METADATA_DOCUMENT: 'The gateway is known there by the URL of its own document. Nothing has to be registered.',
  REGISTERED: 'The gateway registers itself there when the server is created.',
};

interface FoundProps {
  ref: Ref<HTMLElement>;
  discovery: Discovery | undefined;
  test: TestServerMutation['testMcpServer']['test'] | undefined;
}

/** What the gateway found at the URL, and where. */
export function Found({ ref, discovery, test }: FoundProps) {
  const nobody = test?.steps.find(({ name }) => name === 'AUTHORIZATION_NOBODY');
  const isOpen = nobody?.outcome === 'OK' && test?.isOk === true;
  return (
    <section ref={ref} tabIndex={-1} aria-labelledby="found" className={styles.found}>
      <h2 id="found">What the gateway found</h2>
      {isOpen && <p>The server answers, and needs no sign-in.</p>}
      {!isOpen && discovery?.issuer != null && <SignIn discovery={discovery} />}
      {!isOpen && discovery?.issuer == null && (
        <ul className={styles.problems}>
          {(discovery?.problems ?? []).map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      {test !== undefined && (
        <details open={!isOpen && discovery?.issuer == null}>
          <summary>{test.isOk ? 'How the server was tried: no step failed' : 'How the server was tried'}</summary>
          <TestSteps test={test} />
        </details>
      )}
      {discovery !== undefined && discovery.steps.length > 0 && (
        <details>
          <summary>Where its sign-in was looked for</summary>
          <Card>
            <ol>
              {discovery.steps.map(({ name, outcome, url, message }) => (
                <li key={`${name} ${url}`} className={steps.step}>
                  <span>
                    <Status tone={OUTCOMES[outcome].tone}>{OUTCOMES[outcome].text}</Status>
                  </span>
                  <div>
                    <h3 className={steps.name}>{STEPS[name]}</h3>
                    <p className={steps.soft}>{message}</p>
                    <code>{url}</code>
                  </div>
                </li>
              ))}
            </ol>
          </Card>
        </details>
      )}
    </section>
  );
}

function SignIn({ discovery: { issuer, clientMode, scopes, problems, oauthCallbackUrl } }: { discovery: Discovery }) {
  return (
    <>
      <p>
        Each user signs in with their own account at <b>{issuer}</b>.{' '}
        {scopes.length === 0 ? 'It asks for no scopes.' : `Scopes: ${scopes.join(', ')}.`}
      </p>
      {problems.map((problem) => (
        <p key={problem}>{problem}</p>
      ))}
      {clientMode === null ? (
        <>
          <p>
            The gateway cannot register itself there. Register a client by hand with this URL, and enter its id below.
          </p>
          <CopyText text={oauthCallbackUrl} label="Callback URL" />
        </>
      ) : (
        <p>{CLIENTS[clientMode]}</p>
      )}
    </>
  );
}
