import { Card, Section } from '../../../ui/layout.tsx';
import type { ServerSettingsFragment } from '../generated/graphql.ts';
import { SETTING_LABELS, SETTINGS, toValues } from '../parts/server-values.ts';
import { AUTH_TEXT, AVAILABILITY_MEANING } from '../parts/words.ts';
import styles from './page.module.css';

/** The settings, for those who may not change them. */
export function Facts({ server }: { server: ServerSettingsFragment }) {
  const values = toValues(server);
  const texts = {
    ...values,
    authType: AUTH_TEXT[server.authType],
    availability: AVAILABILITY_MEANING[server.availability],
  };
  const isOAuth = server.authType === 'OAUTH2';
  const shown = SETTINGS.filter((name) => texts[name] !== '' && (isOAuth || !name.startsWith('oauth2')));
  return (
    <Section title="Settings" lead="Only admins can change them.">
      <Card>
        <dl className={styles.facts}>
          {shown.map((name) => (
            <Fact key={name} name={SETTING_LABELS[name]} text={texts[name]} />
          ))}
          {server.hasApiKey && <Fact name="API key" text="Stored" />}
          {server.hasCustomHeaders && <Fact name="Custom headers" text="Stored" />}
          {server.hasOAuth2Secret && <Fact name="Client secret" text="Stored" />}
        </dl>
      </Card>
    </Section>
  );
}

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </>
  );
}
