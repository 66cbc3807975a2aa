import { useMutation } from 'urql';
import { Button } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Section } from '../../../ui/layout.tsx';
import { TestServerDocument } from '../generated/graphql.ts';
import { TestSteps } from '../parts/test-steps.tsx';

/** Tries the stored server step by step, and says what to do. */
export function TestServer({ id }: { id: string }) {
  const [{ data, error, fetching }, test] = useMutation(TestServerDocument);
  const result = data?.testMcpServer.test;
  return (
    <Section
      title="Does it work?"
      lead="The gateway calls the server step by step, also with the stored secrets and with your own connection. It changes nothing."
      actions={
        <Button isBusy={fetching} onClick={() => test({ input: { id } })}>
          Test it now
        </Button>
      }
    >
      <p role="status">
        {fetching && 'Testing …'}
        {!fetching && result !== undefined && (result.isOk ? 'No step failed.' : 'A step failed.')}
      </p>
      {error !== undefined && <Failed error={error} />}
      {result !== undefined && <TestSteps test={result} />}
    </Section>
  );
}
