import { useEffect, useRef, useState } from 'react';
import { useMutation } from 'urql';
import { Button, LinkButton } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Form } from '../../../ui/form.tsx';
import { useHold } from '../../../ui/hold.ts';
import { Card } from '../../../ui/layout.tsx';
import { useNotify } from '../../../ui/notices.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { type ImportAnswer, ImportServersDocument, type ImportServersMutation } from '../generated/graphql.ts';
import formStyles from '../parts/server-form.module.css';
import { ImportRow } from './import-row.tsx';
import styles from './new-server.module.css';
import type { ShownImport } from './use-shown-import.ts';

/** What a file would do, server by server; then the same for real. */
export function ImportPreview({ shown: { content, round }, onDone }: { shown: ShownImport; onDone: () => void }) {
  const [{ error, fetching }, run] = useMutation(ImportServersDocument);
  // The last one that came. It stays, with what was given, while the next one is on its way or has failed.
  const [report, setReport] = useState<ImportServersMutation['importMcpServers']>();
  const [answers, setAnswers] = useState<Readonly<Record<string, ImportAnswer>>>({});
  const [secrets, setSecrets] = useState<
    Readonly<Record<string, { slug: string; placeholder: string; value: string }>>
  >({});
  const [isDone, setIsDone] = useState(false);
  const heading = useRef<HTMLElement>(null);
  const notify = useNotify();
  useHold(() => !isDone && Object.keys(secrets).length > 0);

  const send = async (dryRun: boolean): Promise<ImportServersMutation['importMcpServers'] | undefined> => {
    const { data } = await run({
      input: {
        content,
        dryRun,
        answers: Object.entries(answers).map(([slug, answer]) => ({ slug, answer })),
        secrets: Object.values(secrets).filter(({ value }) => value !== ''),
      },
    });
    if (data !== undefined) setReport(data.importMcpServers);
    return data?.importMcpServers;
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: each time that somebody asks for it
  useEffect(() => {
    if (!fetching) void send(true);
    heading.current?.focus();
  }, [round]);

  const importNow = async (): Promise<void> => {
    const done = await send(false);
    if (done === undefined) return;
    setIsDone(true);
    onDone();
    const applied = done.servers.filter((server) => server.applied).length;
    notify(applied === 1 ? 'One server is imported' : `${applied} servers are imported`);
    heading.current?.focus();
  };

  const servers = report?.servers ?? [];
  const isOpen = servers.some(({ kind, missingSecrets }) => kind === 'QUESTION' || missingSecrets.length > 0);
  const hasWork = servers.some(({ kind, error: wrong }) => (kind === 'CREATE' || kind === 'UPDATE') && wrong === null);
  return (
    <section ref={heading} tabIndex={-1} aria-labelledby="preview" className={styles.found}>
      <h2 id="preview">{isDone ? 'What was done' : 'What it would do'}</h2>
      {error !== undefined && <Failed error={error} {...(report === undefined && { retry: () => void send(true) })} />}
      {report === undefined && error === undefined && <ListSkeleton rows={1} />}
      {report !== undefined && (
        <Form
          onSubmit={(event) => {
            event.preventDefault();
            if (!fetching && !isDone) void importNow();
          }}
        >
          {report.notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
          {servers.length > 0 && (
            <Card>
              <ul>
                {servers.map((server) => (
                  <ImportRow
                    key={server.name}
                    server={server}
                    isDone={isDone}
                    answer={answers[server.slug ?? '']}
                    onAnswer={(slug, answer) => setAnswers({ ...answers, [slug]: answer })}
                    onSecret={(slug, placeholder, value) =>
                      setSecrets({ ...secrets, [`${slug} ${placeholder}`]: { slug, placeholder, value } })
                    }
                  />
                ))}
              </ul>
            </Card>
          )}
          <details>
            <summary>All differences, field by field</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text can be scrolled with the keyboard */}
            <pre className={styles.diff} tabIndex={0}>
              {report.diff}
            </pre>
          </details>
          <div className={formStyles.buttons}>
            {!isDone && (hasWork || isOpen) && (
              <Button look="primary" type="submit" isBusy={fetching}>
                Import
              </Button>
            )}
            {!isDone && isOpen && (
              <Button isBusy={fetching} onClick={() => send(true)}>
                See it again, with what you gave
              </Button>
            )}
            {isDone && (
              <LinkButton to="/admin/servers" search={{}}>
                All servers
              </LinkButton>
            )}
          </div>
        </Form>
      )}
    </section>
  );
}
