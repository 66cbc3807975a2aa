import { useState } from 'react';
import type { MyServerQuery } from '../../graph/generated/graphql.ts';
import { TextField } from '../../ui/form.tsx';
import { Card, Section } from '../../ui/layout.tsx';
import { Status } from '../../ui/status.tsx';
import styles from './tool-list.module.css';

type Tool = NonNullable<MyServerQuery['mcpServerConfig']>['tools']['nodes'][number];

/** From this number of tools on, there is a search. */
const SEARCH_FROM = 8;

/** The tools that the viewer may use. Their words are those of the server. */
export function ToolList({ tools, total }: { tools: readonly Tool[]; total: number }) {
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const shown = tools.filter(({ name, title, description }) =>
    [name, title, description].some((text) => text?.toLowerCase().includes(wanted) === true),
  );
  return (
    <Section
      title="Tools that you may use"
      lead={
        total === 0
          ? 'None is known yet. The gateway lists the tools when it first reaches the server, and then shows them here.'
          : `${total === 1 ? 'One tool' : `${total} tools`}, in the words of the server.`
      }
    >
      {tools.length >= SEARCH_FROM && (
        <TextField
          label="Search the tools"
          type="search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      {shown.length > 0 && (
        <Card>
          <ul>
            {shown.map((tool) => (
              <li key={tool.id} className={styles.tool}>
                <h3 className={styles.name}>
                  <code>{tool.name}</code>
                  {tool.title !== null && tool.title !== tool.name && (
                    <span className={styles.title}>{tool.title}</span>
                  )}
                </h3>
                <Hints tool={tool} />
                {tool.description !== null && <p className={styles.description}>{tool.description}</p>}
              </li>
            ))}
          </ul>
        </Card>
      )}
      <p role="status">{tools.length > 0 && shown.length === 0 && 'No tool has these words.'}</p>
      {total > tools.length && <p>The first {tools.length} are shown.</p>}
    </Section>
  );
}

function Hints({ tool: { annotations } }: { tool: Tool }) {
  if (annotations.readOnlyHint === true) return <Status tone="quiet">Only reads</Status>;
  if (annotations.destructiveHint === true) return <Status tone="warn">May delete or overwrite</Status>;
  return undefined;
}
