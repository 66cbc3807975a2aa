import {
  type GetPromptResult,
  type ReadResourceResult,
  ResourceNotFoundError,
  type Server,
} from '@modelcontextprotocol/server';

// What a door has to pass on besides tools: the resources and prompts that the suite asks for.

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const text = (words: string) => ({ type: 'text', text: words }) as const;
const user = (content: GetPromptResult['messages'][number]['content']) => ({ role: 'user' as const, content });

const RESOURCES: Readonly<Record<string, { mimeType: string } & ({ text: string } | { blob: string })>> = {
  'test://static-text': { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  'test://static-binary': { mimeType: 'image/png', blob: PNG },
};

const PROMPTS: Readonly<Record<string, (args: Record<string, string>) => GetPromptResult['messages']>> = {
  test_simple_prompt: () => [user(text('This is a simple prompt for testing.'))],
  test_prompt_with_arguments: ({ arg1, arg2 }) => [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
  test_prompt_with_embedded_resource: ({ resourceUri = '' }) => [
    user({ type: 'resource', resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded content.' } }),
    user(text('Please process the embedded resource above.')),
  ],
  test_prompt_with_image: () => [
    user({ type: 'image', data: PNG, mimeType: 'image/png' }),
    user(text('Please analyze the image above.')),
  ],
};

const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  test_prompt_with_arguments: ['arg1', 'arg2'],
  test_prompt_with_embedded_resource: ['resourceUri'],
};

/** Makes a server answer about them. */
export function serveTestItems(server: Server): void {
  server.setRequestHandler('resources/list', () => ({
    resources: Object.entries(RESOURCES).map(([uri, { mimeType }]) => ({
      uri,
      name: uri,
      mimeType,
    })),
  }));
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', mimeType: 'application/json' }],
  }));
  server.setRequestHandler('resources/read', ({ params: { uri } }): ReadResourceResult => {
    const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
    const content = id === undefined ? RESOURCES[uri] : { mimeType: 'application/json', text: JSON.stringify({ id }) };
    if (content === undefined) throw new ResourceNotFoundError(uri);
    return { contents: [{ uri, ...content }] };
  });
  server.setRequestHandler('prompts/list', () => ({
    prompts: Object.keys(PROMPTS).map((name) => ({
      name,
      description: `The prompt ${name}.`,
      arguments: (ARGUMENTS[name] ?? []).map((each) => ({ name: each, description: `The ${each}.`, required: true })),
    })),
  }));
  server.setRequestHandler('prompts/get', ({ params }) => ({
    messages: PROMPTS[params.name]?.(params.arguments ?? {}) ?? [],
  }));
}
