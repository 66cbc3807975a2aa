import { Status, type Tone } from '../../../ui/status.tsx';
import type { AdminServersQuery } from '../generated/graphql.ts';
import { Under } from '../parts/table.tsx';
import { AUTH_TEXT, AVAILABILITY_TEXT } from '../parts/words.ts';

type Server = AdminServersQuery['mcpServerConfigs']['nodes'][number];

const ANSWERS: Readonly<Record<Server['reachability']['state'], { tone: Tone; text: string }>> = {
  REACHABLE: { tone: 'good', text: 'Yes' },
  UNREACHABLE: { tone: 'bad', text: 'No' },
  UNKNOWN: { tone: 'quiet', text: 'Not asked yet' },
};

/** A server in the list of all. */
export function ServerRow({ server }: { server: Server }) {
  const { displayName, slug, url, enabled, viewerState, authType, availability, connectedUserCount } = server;
  const { state, problem } = server.reachability;
  return (
    <tr>
      <th scope="row">
        {displayName}
        <Under>
          {slug} · {url}
        </Under>
      </th>
      <td>
        {viewerState === 'UNAVAILABLE' ? (
          <Status tone="bad">A secret does not open</Status>
        ) : (
          <Status tone={enabled ? 'good' : 'quiet'}>{enabled ? 'On' : 'Off'}</Status>
        )}
      </td>
      <td>
        <Status tone={ANSWERS[state].tone}>{ANSWERS[state].text}</Status>
        {problem !== null && <Under>{problem}</Under>}
      </td>
      <td>{AUTH_TEXT[authType]}</td>
      <td>{AVAILABILITY_TEXT[availability]}</td>
      <td>{authType === 'OAUTH2' ? connectedUserCount : '–'}</td>
    </tr>
  );
}
