import { useState } from 'react';
import { type MyAccountQuery, RevokeMyTokenDocument } from '../../graph/generated/graphql.ts';
import { hasEnded, RevokeButton, toScopeText } from '../../ui/api-token.tsx';
import { Button } from '../../ui/button.tsx';
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

function TokenRow({ token }: { token: ApiToken }) {
  const { name, createdAt, expiresAt, lastUsedAt, revokedAt } = token;
  return (
    <li className={styles.row}>
      <div className={styles.facts}>
        <h3 className={styles.name}>
          {name} <Status tone="quiet">{toScopeText(token)}</Status>
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
      {!hasEnded(token) && <RevokeButton token={token} mutation={RevokeMyTokenDocument} />}
    </li>
  );
}
