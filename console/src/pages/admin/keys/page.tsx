import { useQuery } from 'urql';
import { useCan } from '../../../app/viewer.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Page, Section } from '../../../ui/layout.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { Status, type Tone } from '../../../ui/status.tsx';
import { Time } from '../../../ui/time.tsx';
import { type EncryptionKeyStatus, EncryptionKeysDocument, type EncryptionKeysQuery } from '../generated/graphql.ts';
import { AdminOnly } from '../parts/admin-page.tsx';
import { Table, Under } from '../parts/table.tsx';
import { RevokeKey } from './revoke.tsx';
import { Rotation } from './rotation.tsx';
import { Verification } from './verification.tsx';

type Key = EncryptionKeysQuery['encryptionKeys'][number];

const STATUS: Readonly<Record<EncryptionKeyStatus, { tone: Tone; text: string }>> = {
  ACTIVE: { tone: 'good', text: 'Seals new secrets' },
  DECRYPT_ONLY: { tone: 'warn', text: 'Only opens old ones' },
  REVOKED: { tone: 'quiet', text: 'Revoked' },
};

/** The keys that seal the stored secrets. */
export function KeysPage() {
  return (
    <AdminOnly action="encryptionKey.list">
      <Keys />
    </AdminOnly>
  );
}

function Keys() {
  const mayManage = useCan('encryptionKey.manage');
  const [{ data, error }, ask] = useQuery({ query: EncryptionKeysDocument, requestPolicy: 'cache-and-network' });
  const keys = data?.encryptionKeys;
  return (
    <Page
      title="Encryption keys"
      lead="They seal every stored secret. The keys themselves are never shown: a digest stands for each."
    >
      {keys === undefined && error === undefined && <ListSkeleton />}
      {error !== undefined && <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />}
      {keys !== undefined && (
        <Section title="Keys">
          <Table label="All keys" head={['Key', 'State', 'Secrets', 'Since', 'Actions']}>
            {keys.map((key) => (
              <KeyRow key={key.number} encryptionKey={key} />
            ))}
          </Table>
        </Section>
      )}
      {mayManage && keys !== undefined && (
        <>
          <Rotation keys={keys} />
          <Verification />
        </>
      )}
    </Page>
  );
}

function KeyRow({ encryptionKey: key }: { encryptionKey: Key }) {
  const { number, digest, status, configured, createdAt, revokedAt, sealedValueCount } = key;
  const mayManage = useCan('encryptionKey.manage');
  return (
    <tr>
      <td>
        Key {number}
        <Under>{digest.slice(0, 12)}…</Under>
      </td>
      <td>
        <Status tone={STATUS[status].tone}>{STATUS[status].text}</Status>
        {!configured && status !== 'REVOKED' && <Under>The gateway does not have this key now.</Under>}
      </td>
      <td>{sealedValueCount.toLocaleString('en')}</td>
      <td>
        <Time value={createdAt} />
        {revokedAt !== null && (
          <Under>
            Revoked <Time value={revokedAt} />
          </Under>
        )}
      </td>
      <td>{mayManage && status === 'DECRYPT_ONLY' && <RevokeKey number={number} sealed={sealedValueCount} />}</td>
    </tr>
  );
}
