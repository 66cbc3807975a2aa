import { Time } from '../../../ui/time.tsx';
import type { ServerSettingsFragment } from '../generated/graphql.ts';
import { Answers, OnOff } from '../parts/answers.tsx';
import { Problem } from '../parts/problem.tsx';
import styles from './page.module.css';

/** What state the server is in, and who changed it last. */
export function Summary({ server }: { server: ServerSettingsFragment }) {
  const { reachability, viewerState, viewerStateReason, authType, connectedUserCount, updatedAt, updatedBy } = server;
  const { state, problem, checkedAt, serverName, serverVersion, protocolVersion, latencyMs } = reachability;
  const called = [
    serverName === null ? undefined : `It calls itself ${[serverName, serverVersion].filter(Boolean).join(' ')}.`,
    protocolVersion === null ? undefined : `It speaks MCP ${protocolVersion}.`,
    latencyMs === null || state !== 'REACHABLE' ? undefined : `It answered in ${latencyMs} ms.`,
  ].filter((text) => text !== undefined);
  return (
    <>
      <span className={styles.states}>
        <OnOff server={server} />
        <Answers state={state} />
        {checkedAt !== null && (
          <span>
            Last called <Time value={checkedAt} />
          </span>
        )}
        {authType === 'OAUTH2' && (
          <span>{connectedUserCount === 1 ? '1 user connected' : `${connectedUserCount} users connected`}</span>
        )}
        <span>
          Changed <Time value={updatedAt} />
          {updatedBy !== null && ` by ${updatedBy.email}`}
        </span>
      </span>
      {problem !== null && <Problem code={problem} />}
      {called.length > 0 && <span>{called.join(' ')}</span>}
      {viewerState === 'UNAVAILABLE' && viewerStateReason !== null && <span>{viewerStateReason}</span>}
    </>
  );
}
