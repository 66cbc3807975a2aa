import { type RefObject, useState } from 'react';
import { type UseFormReturn, useWatch } from 'react-hook-form';
import { Button } from '../../../ui/button.tsx';
import { ChoiceField } from '../../../ui/choice.tsx';
import { Card } from '../../../ui/layout.tsx';
import { Status } from '../../../ui/status.tsx';
import { Time } from '../../../ui/time.tsx';
import type { ServerSettingsFragment } from '../generated/graphql.ts';
import {
  SETTING_LABELS,
  SETTINGS,
  type ServerFormValues,
  type ServerValues,
  toValues,
} from '../parts/server-values.ts';
import styles from './page.module.css';

interface ConflictProps {
  /** Gets the focus when somebody saves before they chose. */
  element: RefObject<HTMLElement | null>;
  form: UseFormReturn<ServerFormValues>;
  base: ServerSettingsFragment;
  theirs: ServerSettingsFragment;
  /** @param dropped the fields in which theirs was chosen */
  onResolved: (dropped: ReadonlySet<keyof ServerValues>) => void;
}

/** Somebody else changed the server while it was edited here. Where both changed a field, the user chooses. */
export function Conflict({ element, form, base, theirs, onResolved }: ConflictProps) {
  const mine = useWatch({ control: form.control }) as ServerFormValues;
  const [choices, setChoices] = useState<Partial<Record<keyof ServerValues, 'theirs' | 'mine'>>>({});
  const [before, after] = [toValues(base), toValues(theirs)];
  const changed = SETTINGS.filter((name) => before[name] !== after[name]);
  const contested = changed.filter((name) => mine[name] !== before[name] && mine[name] !== after[name]);
  const taken = changed.filter((name) => !contested.includes(name));
  const [isTried, setIsTried] = useState(false);
  const isDecided = contested.every((name) => choices[name] !== undefined);
  return (
    <section ref={element} tabIndex={-1} aria-label="Changed meanwhile">
      <Card className={styles.conflict}>
        <div role="alert">
          <p>
            <Status tone="warn">Changed meanwhile</Status> {theirs.updatedBy?.email ?? 'Somebody'} changed this server{' '}
            <Time value={theirs.updatedAt} />, while you were editing it.
          </p>
        </div>
        {taken.length > 0 && (
          <ul className={styles.effects}>
            {taken.map((name) => (
              <li key={name}>
                {SETTING_LABELS[name]} is now {quote(after[name])}. You did not change it, so this is kept.
              </li>
            ))}
          </ul>
        )}
        {contested.map((name) => (
          <ChoiceField
            key={name}
            label={`${SETTING_LABELS[name]}: it was ${quote(before[name])}`}
            name={`choice-${name}`}
            problem={isTried && choices[name] === undefined ? 'Choose one of the two.' : undefined}
            options={[
              { value: 'theirs', text: `Theirs: ${quote(after[name])}` },
              { value: 'mine', text: `Mine: ${quote(mine[name])}` },
            ]}
            onChange={(event) => setChoices({ ...choices, [name]: event.target.value as 'theirs' | 'mine' })}
          />
        ))}
        {changed.length === 0 && <p>None of the fields below changed: it may have been turned on or off.</p>}
        <div>
          <Button
            look="primary"
            onClick={() => {
              if (isDecided) onResolved(new Set(contested.filter((name) => choices[name] === 'theirs')));
              else setIsTried(true);
            }}
          >
            {contested.length === 0 ? 'Go on with my changes' : 'Go on with these choices'}
          </Button>
        </div>
      </Card>
    </section>
  );
}

function quote(text: string): string {
  return text === '' ? 'empty' : `“${text}”`;
}
