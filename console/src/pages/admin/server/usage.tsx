import { Section } from '../../../ui/layout.tsx';
import type { AdminServerUsageFragment } from '../generated/graphql.ts';
import { Table } from '../parts/table.tsx';

/** How often the server's tools were called lately, and by how many people. */
export function Usage({ usage }: { usage: AdminServerUsageFragment }) {
  return (
    <Section title="Usage" lead="Calls of its tools, in whole hours. Denied calls did not reach the server.">
      <Table
        label="Calls of its tools"
        head={['Time', 'Calls', 'Errors', 'Denied', 'People', 'Half within', '95% within']}
      >
        <Period name="Last day" period={usage.lastDay} />
        <Period name="Last week" period={usage.lastWeek} />
      </Table>
    </Section>
  );
}

function Period({ name, period }: { name: string; period: AdminServerUsageFragment['lastDay'] }) {
  const { calls, errors, denied, users, p50Ms, p95Ms } = period;
  return (
    <tr>
      <th scope="row">{name}</th>
      {[calls, errors, denied, users].map((count, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the columns never change
        <td key={index}>{count.toLocaleString('en')}</td>
      ))}
      <td>{toTime(p50Ms)}</td>
      <td>{toTime(p95Ms)}</td>
    </tr>
  );
}

function toTime(ms: number | null): string {
  if (ms === null) return '–';
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
