import { useEffect, useRef, useState } from 'react';
import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { Button } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Form, SelectField, TextField } from '../../../ui/form.tsx';
import { splitIssues } from '../../../ui/form-issues.ts';
import { useHold } from '../../../ui/hold.ts';
import { Card } from '../../../ui/layout.tsx';
import {
  DiscoverOAuthDocument,
  type DiscoverOAuthMutation,
  type McpTransport,
  TestServerDocument,
  type TestServerMutation,
} from '../generated/graphql.ts';
import formStyles from '../parts/server-form.module.css';
import { toValues } from '../parts/server-values.ts';
import { CreateForm } from './create-form.tsx';
import { Found } from './found.tsx';
import { suggestAuthType, suggestClient, suggestNames } from './suggest.ts';

interface Looked {
  url: string;
  transport: McpTransport;
  discovery: DiscoverOAuthMutation['discoverMcpServerOAuth']['discovery'] | undefined;
  test: TestServerMutation['testMcpServer']['test'] | undefined;
}

/** Adds a server by its URL: the gateway looks there, and fills in the form. */
export function ByUrl() {
  const [discovering, discover] = useMutation(DiscoverOAuthDocument);
  const [testing, test] = useMutation(TestServerDocument);
  const [looked, setLooked] = useState<Looked>();
  const { register, handleSubmit, formState } = useForm<{ url: string; transport: McpTransport }>({
    defaultValues: { url: '', transport: 'STREAMABLE_HTTP' },
  });
  const { isDirty } = formState;
  useHold(() => isDirty);
  const found = useRef<HTMLElement>(null);
  const isLooking = discovering.fetching || testing.fetching;
  const { problemOf, rest } = splitIssues(discovering.error, ['url']);
  const isWrongUrl = problemOf('url') !== undefined;

  useEffect(() => {
    if (looked !== undefined) found.current?.focus();
  }, [looked]);

  const look = handleSubmit(async ({ url, transport }) => {
    setLooked(undefined);
    const input = { url: url.trim(), transport };
    const [discovered, tested] = await Promise.all([
      discover({ input }),
      test({ input: { settings: { ...input, authType: 'NONE' } } }),
    ]);
    if (discovered.data === undefined && tested.data === undefined) return;
    setLooked({
      ...input,
      discovery: discovered.data?.discoverMcpServerOAuth.discovery,
      test: tested.data?.testMcpServer.test,
    });
  });

  return (
    <>
      <Card className={formStyles.card}>
        <Form onSubmit={look}>
          <TextField
            label="URL of the MCP server"
            hint="As in its documentation, such as https://mcp.example.com/mcp."
            problem={problemOf('url')}
            type="url"
            autoComplete="off"
            spellCheck={false}
            {...register('url')}
          />
          <SelectField label="How it is called" {...register('transport')}>
            <option value="STREAMABLE_HTTP">Streamable HTTP: the present transport</option>
            <option value="SSE">Server-sent events: for old servers</option>
          </SelectField>
          {!isWrongUrl && rest !== undefined && <Failed error={rest} />}
          {!isWrongUrl && testing.error !== undefined && <Failed error={testing.error} />}
          <div className={formStyles.buttons}>
            <Button look={looked === undefined ? 'primary' : 'normal'} type="submit" isBusy={isLooking}>
              Look at it
            </Button>
            <span role="status">{isLooking && 'The gateway looks at the server …'}</span>
          </div>
        </Form>
      </Card>
      {looked !== undefined && (
        <>
          <Found ref={found} discovery={looked.discovery} test={looked.test} />
          <CreateForm
            key={`${looked.url} ${looked.transport}`}
            start={{
              ...toValues(undefined),
              ...suggestNames(looked.url),
              ...suggestClient(looked.discovery),
              url: looked.url,
              transport: looked.transport,
              authType: suggestAuthType(looked.discovery, looked.test),
            }}
          />
        </>
      )}
    </>
  );
}
