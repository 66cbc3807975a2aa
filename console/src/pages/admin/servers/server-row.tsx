import { Link } from '@tanstack/react-router';
import type { AdminServersQuery } from '../generated/graphql.ts';
import { Answers, OnOff } from '../parts/answers.tsx';
import { Problem } from '../parts/problem.tsx';
import { Under } from '../parts/table.tsx';
import { AUTH_TEXT, AVAILABILITY_TEXT } from '../parts/words.ts';

type Server = AdminServersQuery['mcpServerConfigs']['nodes'][number];

/** A server in the list of all. */
export function ServerRow({ server }: { server: Server }) {
  const { id, displayName, slug, url, authType, availability, connectedUserCount, reachability } = server;
  return (
    <tr>
      <th scope="row">
        <Link to="/admin/servers/$id" params={{ id }} search={{}}>
          {displayName}
        </Link>
        <Under>
          {slug} · {url}
        </Under>
      </th>
      <td>
        <OnOff server={server} />
      </td>
      <td>
        <Answers state={reachability.state} />
        {reachability.problem !== null && (
          <Under>
            <Problem code={reachability.problem} isBrief />
          </Under>
        )}
      </td>
      <td>{AUTH_TEXT[authType]}</td>
      <td>{AVAILABILITY_TEXT[availability]}</td>
      <td>{authType === 'OAUTH2' ? connectedUserCount : '–'}</td>
    </tr>
  );
}
