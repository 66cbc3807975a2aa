import { useState } from 'react';
import { useQuery } from 'urql';
import { useCan } from '../../../app/viewer.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { SelectField } from '../../../ui/form.tsx';
import { Section } from '../../../ui/layout.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { Checks } from '../../server/why.tsx';
import { ExplainForDocument, ServersToExplainDocument } from '../generated/graphql.ts';

/** Whether a user can use a server and why, as their own page says it. */
export function WhatTheySee({ userId }: { userId: string }) {
  const mayExplain = useCan('mcpServer.explain');
  const [configId, setConfigId] = useState('');
  const [{ data: list }] = useQuery({ query: ServersToExplainDocument, pause: !mayExplain });
  const [{ data, error }, ask] = useQuery({
    query: ExplainForDocument,
    variables: { configId, userId },
    pause: configId === '',
  });
  if (!mayExplain) return undefined;
  const explanation = configId === '' ? undefined : data?.explainMcpServer;
  return (
    <Section title="What they see" lead="Whether they can use a server, and why.">
      <SelectField label="Server" value={configId} onChange={(event) => setConfigId(event.currentTarget.value)}>
        <option value="">Choose a server</option>
        {list?.mcpServerConfigs.nodes.map(({ id, displayName }) => (
          <option key={id} value={id}>
            {displayName}
          </option>
        ))}
      </SelectField>
      {configId !== '' && explanation === undefined && error === undefined && <ListSkeleton rows={1} />}
      {configId !== '' && error !== undefined && (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      )}
      {explanation !== undefined && (
        <>
          <p>{explanation.summary}</p>
          <Checks checks={explanation.checks} isOwn={false} />
        </>
      )}
    </Section>
  );
}
