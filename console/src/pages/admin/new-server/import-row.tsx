import { ChoiceField } from '../../../ui/choice.tsx';
import { TextField } from '../../../ui/form.tsx';
import { Status, type Tone } from '../../../ui/status.tsx';
import type { ImportAnswer, ImportServersMutation, McpServerImportKind } from '../generated/graphql.ts';
import steps from '../parts/steps.module.css';
import styles from './new-server.module.css';

type Imported = ImportServersMutation['importMcpServers']['servers'][number];

const KINDS: Readonly<Record<McpServerImportKind, { tone: Tone; text: string; done: string }>> = {
  CREATE: { tone: 'good', text: 'Is created', done: 'Created' },
  UPDATE: { tone: 'warn', text: 'Is changed', done: 'Changed' },
  UNCHANGED: { tone: 'quiet', text: 'Is there already', done: 'Was there already' },
  SKIP: { tone: 'bad', text: 'Cannot be imported', done: 'Not imported' },
  QUESTION: { tone: 'warn', text: 'Your answer is needed', done: 'Not imported' },
};

interface ImportRowProps {
  server: Imported;
  isDone: boolean;
  answer: ImportAnswer | undefined;
  onAnswer: (slug: string, answer: ImportAnswer) => void;
  onSecret: (slug: string, placeholder: string, value: string) => void;
}

/** One server of a file: what happens to it, and what is needed for that. */
export function ImportRow({ server, isDone, answer, onAnswer, onSecret }: ImportRowProps) {
  const { name, slug, kind, applied, error, notes, missingSecrets } = server;
  const { tone, text, done } = KINDS[kind];
  const isLeftOut = isDone && !applied && (kind === 'CREATE' || kind === 'UPDATE');
  const isWaiting = !isDone && missingSecrets.length > 0;
  return (
    <li className={steps.step}>
      <span>
        <Status tone={error !== null || isLeftOut ? 'bad' : isWaiting ? 'warn' : tone}>
          {isLeftOut ? 'Left out' : isDone ? done : isWaiting ? 'Needs a secret' : text}
        </Status>
      </span>
      <div className={styles.server}>
        <h3 className={steps.name}>
          {name}
          {slug !== null && slug !== name && `, here: ${slug}`}
        </h3>
        {error !== null && <p>{error}</p>}
        {notes.map((note) => (
          <p key={note} className={steps.soft}>
            {note}
          </p>
        ))}
        {!isDone && slug !== null && kind === 'QUESTION' && (
          <ChoiceField
            label={`What is ${name}?`}
            name={`answer-${slug}`}
            options={[
              { value: 'CREATE', text: 'Another server', meaning: 'It is created under a free short name.' },
              { value: 'UPDATE', text: `The server ${slug}`, meaning: 'That one is changed.' },
            ]}
            checkedValue={answer ?? ''}
            onChange={(event) => onAnswer(slug, event.target.value as ImportAnswer)}
          />
        )}
        {!isDone &&
          slug !== null &&
          missingSecrets.map(({ placeholder, description }) => (
            <TextField
              key={placeholder}
              label={placeholder}
              hint={description}
              type="password"
              autoComplete="new-password"
              onChange={(event) => onSecret(slug, placeholder, event.target.value)}
            />
          ))}
      </div>
    </li>
  );
}
