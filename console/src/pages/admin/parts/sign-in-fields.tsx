import { useEffect, useRef } from 'react';
import type { UseFormReturn } from 'react-hook-form';
import { ChoiceField } from '../../../ui/choice.tsx';
import { CopyText } from '../../../ui/copy.tsx';
import { SelectField, TextField } from '../../../ui/form.tsx';
import type { ServerSettingsFragment } from '../generated/graphql.ts';
import { HeadersField, SecretField } from './secret-fields.tsx';
import styles from './server-form.module.css';
import { SETTING_LABELS, type ServerFormValues } from './server-values.ts';
import { AUTH_MEANING, AUTH_TEXT, toOptions } from './words.ts';

interface SignInFieldsProps {
  form: UseFormReturn<ServerFormValues>;
  server: ServerSettingsFragment | undefined;
  problemOf: (field: string) => string | undefined;
}

/** How the server knows its users, and the settings of that way. */
export function SignInFields({ form, server, problemOf }: SignInFieldsProps) {
  const { register, watch } = form;
  const authType = watch('authType');
  const isStored = server?.authType === authType;
  const isChanged = server !== undefined && !isStored;
  return (
    <>
      <ChoiceField
        label={SETTING_LABELS.authType}
        options={toOptions(AUTH_TEXT, AUTH_MEANING)}
        problem={problemOf('authType')}
        {...register('authType')}
      />
      {isChanged && (
        <p role="status">Saving this deletes the settings and secrets of the old way, and ends all connections.</p>
      )}
      {authType === 'API_KEY' && (
        <div className={styles.group}>
          <TextField
            label={SETTING_LABELS.apiKeyHeader}
            hint="Such as Authorization or X-API-Key."
            problem={problemOf('apiKeyHeader')}
            autoComplete="off"
            spellCheck={false}
            {...register('apiKeyHeader')}
          />
          <SecretField
            form={form}
            name="apiKeyValue"
            label="Its whole value, with the key"
            isStored={isStored && server?.hasApiKey === true}
            problem={problemOf('apiKeyValue')}
          />
        </div>
      )}
      {authType === 'OAUTH2' && <OAuthFields form={form} server={server} problemOf={problemOf} />}
      {(authType === 'CUSTOM_HEADERS' || (authType === 'OAUTH2' && server?.hasCustomHeaders === true)) && (
        <div className={styles.group}>
          <HeadersField form={form} isStored={server?.hasCustomHeaders === true} problem={problemOf('customHeaders')} />
        </div>
      )}
    </>
  );
}

const CLIENT_FIELDS = [
  'oauth2ClientId',
  'oauth2AuthUrl',
  'oauth2TokenUrl',
  'oauth2RevocationUrl',
  'oauth2Issuer',
] as const;

const HINTS: Readonly<Partial<Record<(typeof CLIENT_FIELDS)[number], string>>> = {
  oauth2ClientId: 'Together with the two URLs below.',
  oauth2RevocationUrl: 'With it, a user who disconnects also loses the access at the provider.',
};

function OAuthFields({ form, server, problemOf }: SignInFieldsProps) {
  const { register, watch } = form;
  const clientId = watch('oauth2ClientId');
  const details = useRef<HTMLDetailsElement>(null);
  const hasProblem = [...CLIENT_FIELDS, 'oauth2ClientSecret', 'oauth2ResourceMode', 'oauth2CallbackMode'].some(
    (name) => problemOf(name) !== undefined,
  );
  const opens = hasProblem || clientId !== '';
  // Only opened by itself: who closes it wants it closed.
  useEffect(() => {
    if (opens && details.current !== null) details.current.open = true;
  }, [opens]);
  return (
    <div className={styles.group}>
      <TextField
        label={SETTING_LABELS.oauth2Scopes}
        hint="Separated by spaces. Empty: those that the server asks for."
        problem={problemOf('oauth2Scopes')}
        autoComplete="off"
        spellCheck={false}
        {...register('oauth2Scopes')}
      />
      <details ref={details} className={styles.details}>
        <summary>
          A client that you registered yourself. Empty: the gateway finds everything and registers itself.
        </summary>
        <div className={styles.group}>
          {CLIENT_FIELDS.map((name) => (
            <TextField
              key={name}
              label={SETTING_LABELS[name]}
              hint={HINTS[name]}
              problem={problemOf(name)}
              autoComplete="off"
              spellCheck={false}
              {...register(name)}
            />
          ))}
          <SecretField
            form={form}
            name="oauth2ClientSecret"
            label="Client secret"
            isStored={server?.authType === 'OAUTH2' && server.hasOAuth2Secret}
            problem={problemOf('oauth2ClientSecret')}
          />
          <SelectField
            label={SETTING_LABELS.oauth2CallbackMode}
            problem={problemOf('oauth2CallbackMode')}
            {...register('oauth2CallbackMode')}
          >
            <option value="OWN">One for this server only</option>
            <option value="SHARED">That of the gateway, known before the server exists here</option>
          </SelectField>
          {server?.oauthCallbackUrl != null && <CopyText text={server.oauthCallbackUrl} label="Callback URL" />}
          <SelectField
            label={SETTING_LABELS.oauth2ResourceMode}
            problem={problemOf('oauth2ResourceMode')}
            {...register('oauth2ResourceMode')}
          >
            <option value="AUTO">Sent where it is understood</option>
            <option value="INCLUDE">Always sent</option>
            <option value="OMIT">Never sent</option>
          </SelectField>
        </div>
      </details>
    </div>
  );
}
