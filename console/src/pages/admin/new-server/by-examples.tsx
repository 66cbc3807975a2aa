import { useState } from 'react';
import { Button } from '../../../ui/button.tsx';
import { CheckField } from '../../../ui/choice.tsx';
import { Form } from '../../../ui/form.tsx';
import { Card } from '../../../ui/layout.tsx';
import type { McpAuthType } from '../generated/graphql.ts';
import formStyles from '../parts/server-form.module.css';
import { ImportPreview } from './import-preview.tsx';
import styles from './new-server.module.css';
import { useShownImport } from './use-shown-import.ts';

interface Example {
  displayName: string;
  description: string;
  url: string;
  authType: McpAuthType;
}

const SIGN_IN: Readonly<Record<McpAuthType, string>> = {
  NONE: 'No sign-in.',
  OAUTH2: 'Each user signs in.',
  API_KEY: 'It needs a key.',
  CUSTOM_HEADERS: 'It needs a key.',
};

/** The text of `examples/servers.json`, as `vite.config.ts` puts it in. */
declare const EXAMPLE_SERVERS: string;

const file = JSON.parse(EXAMPLE_SERVERS) as { gatehouse: number; servers: Record<string, Example> };

/** Adds some of the servers that come with the gateway as examples. */
export function ByExamples() {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const { shown, show, onDone } = useShownImport();
  const showChosen = (): void => {
    const servers = Object.fromEntries(Object.entries(file.servers).filter(([name]) => chosen.includes(name)));
    show(JSON.stringify({ ...file, servers }));
  };
  return (
    <>
      <Card className={formStyles.card}>
        <Form
          onSubmit={(event) => {
            event.preventDefault();
            if (chosen.length > 0) showChosen();
          }}
        >
          <fieldset className={styles.examples}>
            <legend>Public servers to begin with</legend>
            {Object.entries(file.servers).map(([name, { displayName, description, url, authType }]) => (
              <CheckField
                key={name}
                label={displayName}
                hint={
                  <>
                    {description} {SIGN_IN[authType]} <code>{url}</code>
                  </>
                }
                checked={chosen.includes(name)}
                onChange={({ target }) =>
                  setChosen(target.checked ? [...chosen, name] : chosen.filter((each) => each !== name))
                }
              />
            ))}
          </fieldset>
          <div className={formStyles.buttons}>
            <Button look="primary" type="submit">
              See what it would do
            </Button>
            <span role="status">{chosen.length === 0 ? 'Choose some first.' : `${chosen.length} chosen.`}</span>
          </div>
        </Form>
      </Card>
      {shown !== undefined && <ImportPreview key={shown.key} shown={shown} onDone={onDone} />}
    </>
  );
}
