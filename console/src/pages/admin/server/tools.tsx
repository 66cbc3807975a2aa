import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { useCan } from '../../../app/viewer.tsx';
import { Button } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Empty, Section } from '../../../ui/layout.tsx';
import { useNotify } from '../../../ui/notices.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { ApproveToolsDocument, ListToolsDocument, ServerToolsDocument } from '../generated/graphql.ts';
import { Problem } from '../parts/problem.tsx';
import { Pager } from '../parts/table.tsx';
import { ToolRules } from './tool-rules.tsx';

/** The tools of a server, what applies to each, and the rules. */
export function Tools({ id }: { id: string }) {
  const mayRefresh = useCan('mcpServerTool.refresh');
  const [after, setAfter] = useState<string>();
  const [{ data, error }, ask] = useQuery({ query: ServerToolsDocument, variables: { id, after: after ?? null } });
  const [refreshing, refresh] = useMutation(ListToolsDocument);
  const [approving, approve] = useMutation(ApproveToolsDocument);
  const notify = useNotify();
  const reload = () => ask({ requestPolicy: 'network-only' });
  // If the next page fails, the rules that were edited stay.
  const [last, setLast] = useState(data?.mcpServerConfig);
  if (data !== undefined && data.mcpServerConfig !== last) setLast(data.mcpServerConfig);
  const server = data === undefined ? last : data.mcpServerConfig;
  const problem = refreshing.data?.refreshMcpServerTools.problem;
  const waiting = server?.tools.nodes.filter(({ decision }) => decision === 'PENDING') ?? [];

  const approveTools = async (tools: readonly { name: string; digest: string }[]): Promise<void> => {
    const chosen = tools.map(({ name, digest }) => ({ name, digest }));
    const result = await approve({ input: { id, tools: chosen } });
    if (result.data !== undefined)
      notify(chosen.length === 1 ? `${chosen[0]?.name} is approved` : 'The tools are approved');
  };

  return (
    <Section
      title="Tools"
      lead="What the server offers, in its own words, and what the gateway lets through."
      actions={
        <>
          {mayRefresh && waiting.length > 1 && (
            <Button isBusy={approving.fetching} onClick={() => approveTools(waiting)}>
              Approve the {waiting.length} that wait
            </Button>
          )}
          {mayRefresh && (
            <Button isBusy={refreshing.fetching} onClick={() => refresh({ id })}>
              List them again
            </Button>
          )}
        </>
      }
    >
      <p role="status">
        {refreshing.fetching && 'Asking the server …'}
        {typeof problem === 'string' && (
          <>
            The server did not list its tools, so these are those of the last list. <Problem code={problem} />
          </>
        )}
      </p>
      {[error, refreshing.error, approving.error].map(
        (each) => each !== undefined && <Failed key={each.message} error={each} retry={reload} />,
      )}
      {server === undefined && error === undefined && <ListSkeleton />}
      {server != null && server.tools.totalCount === 0 && (
        <Empty title="No tool is known yet">
          The gateway lists the tools when it first reaches the server. Of a server where each user signs in, connect
          your own account first.
        </Empty>
      )}
      {server != null && (
        <>
          <ToolRules
            key={server.id}
            server={server}
            isApproving={approving.fetching}
            onApprove={approveTools}
            reload={reload}
          />
          {server.tools.totalCount > 0 && (
            <Pager
              total={server.tools.totalCount}
              words={['tool', 'tools']}
              isFirst={after === undefined}
              next={server.tools.pageInfo.hasNextPage ? server.tools.pageInfo.endCursor : null}
              onGo={setAfter}
            />
          )}
        </>
      )}
    </Section>
  );
}
