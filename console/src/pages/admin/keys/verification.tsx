import { useMutation } from 'urql';
import { Button } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Section } from '../../../ui/layout.tsx';
import { Status } from '../../../ui/status.tsx';
import { VerifyValuesDocument } from '../generated/graphql.ts';
import { Table } from '../parts/table.tsx';

/** Opens every stored secret once, and lists those that do not open. */
export function Verification() {
  const [{ data, error, fetching }, verify] = useMutation(VerifyValuesDocument);
  const result = data?.verifyEncryptedValues.verification;
  return (
    <Section
      title="Check"
      lead="Opens every stored secret once, and shows none."
      actions={
        <Button isBusy={fetching} onClick={() => verify({})}>
          Check all secrets
        </Button>
      }
    >
      {error !== undefined && <Failed error={error} />}
      <p role="status">
        {result !== undefined && (
          <Status tone={result.failureCount === 0 ? 'good' : 'bad'}>
            {result.failureCount === 0
              ? `All ${result.checked.toLocaleString('en')} secrets open`
              : `${result.failureCount.toLocaleString('en')} of ${result.checked.toLocaleString('en')} secrets do not open`}
          </Status>
        )}
      </p>
      {result !== undefined && result.failures.length > 0 && (
        <Table label="Secrets that do not open" head={['Table', 'Column', 'Row', 'Why']}>
          {result.failures.map(({ table, column, id, reason }) => (
            <tr key={`${table} ${column} ${id}`}>
              <td>{table}</td>
              <td>{column}</td>
              <td>{id}</td>
              <td>{reason}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}
