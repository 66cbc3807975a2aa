import type { ToolListWarning } from '../../domain/catalogue/tool-list-warnings.ts';
import { builder } from '../builder.ts';
import { McpToolListKindEnum } from './enums.ts';

/** `McpToolListWarning` */
export const McpToolListWarningType = builder.objectRef<ToolListWarning>('McpToolListWarning').implement({
  description: 'A name on an allow or deny list that is no tool of the server, as far as its tools are known.',
  fields: (t) => ({
    list: t.expose('list', { type: McpToolListKindEnum, description: 'The list.' }),
    name: t.exposeString('name', { description: 'The name on the list.' }),
    similar: t.exposeString('similar', {
      nullable: true,
      description: 'A tool of the server whose name differs only a little; null if there is none.',
    }),
  }),
});
