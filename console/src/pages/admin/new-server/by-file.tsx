import { type ChangeEvent, useState } from 'react';
import { Button } from '../../../ui/button.tsx';
import { Form, TextArea, TextField } from '../../../ui/form.tsx';
import { useHold } from '../../../ui/hold.ts';
import { Card } from '../../../ui/layout.tsx';
import formStyles from '../parts/server-form.module.css';
import { ImportPreview } from './import-preview.tsx';
import { useShownImport } from './use-shown-import.ts';

/** Adds servers from a file of an editor or of the registry. */
export function ByFile() {
  const [content, setContent] = useState('');
  const { shown, isDone, show, onDone } = useShownImport();
  useHold(() => content !== '' && !(isDone && content === shown?.content));
  const read = async ({ target }: ChangeEvent<HTMLInputElement>): Promise<void> => {
    const file = target.files?.[0];
    if (file !== undefined) setContent(await file.text());
  };
  return (
    <>
      <Card className={formStyles.card}>
        <Form
          onSubmit={(event) => {
            event.preventDefault();
            show(content);
          }}
        >
          <TextArea
            label="The file"
            hint="The mcp.json of an editor in all its shapes, the server.json of the MCP registry, or an export of a gateway."
            rows={8}
            spellCheck={false}
            value={content}
            onChange={(event) => setContent(event.target.value)}
          />
          <TextField label="Or choose it" type="file" onChange={read} />
          <div>
            <Button look="primary" type="submit">
              See what it would do
            </Button>
          </div>
        </Form>
      </Card>
      {shown !== undefined && <ImportPreview key={shown.key} shown={shown} onDone={onDone} />}
    </>
  );
}
