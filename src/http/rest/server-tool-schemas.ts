import { z } from 'zod';
import { TOOL_DECISIONS } from '../../domain/catalogue/tool-decision.ts';
import { TOOL_WARNINGS } from '../../domain/catalogue/tool-warnings.ts';

const JsonObject = z.record(z.string(), z.unknown());

/** A tool in the response of `GET /{id}/tools`. */
export const McpServerTool = z
  .strictObject({
    id: z.string().describe('Id of the tool in the catalogue.'),
    name: z.string().describe('Exact name on the server, as in allow and deny lists.'),
    shown_as: z.string().describe('The name that models see.'),
    title: z.string().nullable().describe('A title for people; null if not given.'),
    description: z
      .string()
      .nullable()
      .describe('What the tool does, in the words of the server; null if not given. Plain text, not HTML.'),
    input_schema: JsonObject.describe('JSON Schema of the arguments, as the server sent it.'),
    output_schema: z.unknown().describe('JSON Schema of structured results, as the server sent it; null if not given.'),
    annotations: JsonObject.describe('What the server says about how the tool behaves. The gateway does not check it.'),
    decision: z.enum(TOOL_DECISIONS).describe('Whether the tool may be used, and if not, why.'),
    digest: z.string().describe('SHA-256 of what an approval covers, in hexadecimal.'),
    first_seen_at: z.string().describe('When the server first listed the tool (RFC 3339).'),
    changed_at: z.string().nullable().describe('When its definition last changed; null if it never did.'),
    gone_at: z
      .string()
      .nullable()
      .describe('Since when the server no longer lists it; null if it is listed, and for members.'),
    warnings: z.array(z.enum(TOOL_WARNINGS)).describe('What an admin should look at before a model reads the tool.'),
  })
  .describe('A tool of an MCP server, as the server last listed it.');
/** A tool in the response. */
export type McpServerTool = z.output<typeof McpServerTool>;

/** The response of `GET /{id}/tools`. */
export const McpServerToolList = z.array(McpServerTool).describe('Tools, sorted by name.');
