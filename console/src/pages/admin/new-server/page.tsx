import { Link, useSearch } from '@tanstack/react-router';
import { Page } from '../../../ui/layout.tsx';
import { AdminOnly } from '../parts/admin-page.tsx';
import styles from '../parts/views.module.css';
import { ByExamples } from './by-examples.tsx';
import { ByFile } from './by-file.tsx';
import { ByUrl } from './by-url.tsx';
import type { NewServerSearch } from './search.ts';

const WAYS: readonly { by?: 'file' | 'examples'; text: string }[] = [
  { text: 'By its URL' },
  { by: 'file', text: 'From a file' },
  { by: 'examples', text: 'From the examples' },
];

/** Adds servers: one by its URL, or some from a file or from the examples. */
export function NewServerPage() {
  return (
    <AdminOnly action="mcpServerConfig.create">
      <NewServer />
    </AdminOnly>
  );
}

function NewServer() {
  const { by } = useSearch({ from: '/admin/servers/new' });
  return (
    <Page
      title="Add a server"
      lead="The gateway looks first, and tells you what it found. Nothing is stored before you say so."
    >
      <nav aria-label="Ways to add a server" className={styles.views}>
        {WAYS.map((way) => (
          <Link
            key={way.text}
            to="/admin/servers/new"
            search={toWay(way.by)}
            activeOptions={{ exact: true, includeSearch: true }}
            className={styles.view}
          >
            {way.text}
          </Link>
        ))}
      </nav>
      {by === undefined && <ByUrl />}
      {by === 'file' && <ByFile />}
      {by === 'examples' && <ByExamples />}
    </Page>
  );
}

function toWay(by: NewServerSearch['by']): NewServerSearch {
  return by === undefined ? {} : { by };
}
