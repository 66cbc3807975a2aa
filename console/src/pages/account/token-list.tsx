import { useState } from 'react';
import { useMutation } from 'urql';
import { type MyAccountQuery, RevokeMyTokenDocument } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Card, Empty, Section } from '../../ui/layout.tsx';
import { Status } from '../../ui/status.tsx';
import { Time } from '../../ui/time.tsx';
import styles from './account.module.css';
import { TokenDialog } from './token-dialog.tsx';

type ApiToken = NonNullable<MyAccountQuery['viewer']['apiTokens']>[number];

/** The viewer's API tokens: those that work, and below them those that ended. */
export function TokenList({ tokens }: { tokens: readonly ApiToken[] }) {
  const [isDialogOpen, setIsDialogOpen] = useState(false);
  const newestFirst = [...tokens].reverse();
  const working = newestFirst.filter((token) => !hasEnded(token));
  const ended = newestFirst.filter(hasEnded);
  return (
    <Section
      title="Tokens"
      lead="With a token, a program acts as you. Give each program its own, and revoke what you no longer use."
      actions={<Button onClick={() => setIsDialogOpen(true)}>New token</Button>}
    >
      {working.length === 0 ? (
        <Empty title="No token works now">A program that should use your tools or the API needs one of its own.</Empty>
      ) : (
        <Card>
          <ul>
            {working.map((token) => (
              <TokenRow key={token.id} token={token} />
            ))}
          </ul>
        </Card>
      )}
      {ended.length > 0 && (
        <details>
          <summary>{ended.length === 1 ? 'One that ended' : `${ended.length} that ended`}</summary>
          <Card className={styles.ended}>
            <ul>
              {ended.map((token) => (
                <TokenRow key={token.id} token={token} />
              ))}
            </ul>
          </Card>
        </details>
      )}
      <TokenDialog isOpen={isDialogOpen} onClose={() => setIsDialogOpen(false)} />
    </Section>
  );
}

function hasEnded({ revokedAt, expiresAt }: ApiToken): boolean {
  return revokedAt !== null || (expiresAt !== null && Date.parse(expiresAt) <= Date.now());
}

function TokenRow({ token }: { token: ApiToken }) {
  const { id, name, scopes, mcpServerIds, createdAt, expiresAt, lastUsedAt, revokedAt } = token;
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, revoke] = useMutation(RevokeMyTokenDocument);
  const confirm = async (): Promise<void> => {
    const { data } = await revoke({ id });
    if (data !== undefined) setIsOpen(false);
  };
  return (
    <li className={styles.row}>
      <div className={styles.facts}>
        <h3 className={styles.name}>
          {name} <Status tone="quiet">{scopes.includes('GRAPH') ? 'Everything' : toToolScope(mcpServerIds)}</Status>
        </h3>
        <p className={styles.dates}>
          <span>
            Made <Time value={createdAt} />
          </span>
          <span>
            {lastUsedAt === null ? (
              'Never used'
            ) : (
              <>
                Last used <Time value={lastUsedAt} />
              </>
            )}
          </span>
          {revokedAt !== null && (
            <span>
              Revoked <Time value={revokedAt} />
            </span>
          )}
          {revokedAt === null && (
            <span>
              {expiresAt === null ? (
                'Does not expire'
              ) : (
                <>
                  Expires <Time value={expiresAt} />
                </>
              )}
            </span>
          )}
        </p>
      </div>
      {!hasEnded(token) && (
        <Button onClick={() => setIsOpen(true)} aria-label={`Revoke: ${name}`}>
          Revoke
        </Button>
      )}
      <Confirm
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`Revoke ${name}?`}
        text="Programs that use it are locked out at once, and so are browsers that signed in with it. It cannot be undone."
        action="Revoke"
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </li>
  );
}

function toToolScope(serverIds: readonly string[] | null): string {
  if (serverIds === null) return 'Tools only';
  return serverIds.length === 1 ? 'Tools of one server' : `Tools of ${serverIds.length} servers`;
}
