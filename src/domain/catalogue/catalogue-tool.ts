import type { McpServerConfigRecord, McpToolRecord } from '../../data/records.ts';
import { HEADER_KEYWORD } from '../../mcp/param-headers.ts';
import { toShownName } from './shown-name.ts';
import { type ToolChange, toToolChange } from './tool-change.ts';
import type { CatalogueDecision, DecidedTool } from './tool-decision.ts';
import { parseDefinition, type ToolDefinition } from './tool-definition.ts';
import { summarize, type ToolSummary } from './tool-summary.ts';
import { findWarnings, TOOL_WARNINGS, type ToolWarning } from './tool-warnings.ts';

/** A tool with all that is shown of it. What is costly is made when it is asked for. */
export class CatalogueTool {
  readonly config: McpServerConfigRecord;
  readonly tool: McpToolRecord;
  readonly decision: CatalogueDecision;
  #definition: ToolDefinition | undefined;

  constructor(config: McpServerConfigRecord, { tool, decision }: DecidedTool) {
    this.config = config;
    this.tool = tool;
    this.decision = decision;
  }

  /** As the server sent it. */
  get definition(): ToolDefinition {
    this.#definition ??= parseDefinition(this.tool.definition);
    return this.#definition;
  }

  /** What people read of it. */
  get summary(): ToolSummary {
    return summarize(this.tool, () => this.definition);
  }

  /** The schema of the arguments, if it wants some of them in headers. */
  get schemaWithHeaders(): ToolDefinition['inputSchema'] | undefined {
    return this.tool.definition.includes(HEADER_KEYWORD) ? this.definition.inputSchema : undefined;
  }

  /** The name that models see. */
  get shownAs(): string {
    return toShownName(this.config.slug, this.tool.name);
  }

  /** What an admin should look at, as far as the tool alone tells it. */
  get warnings(): ToolWarning[] {
    const found = new Set(findWarnings(this.definition));
    if (this.shownAs !== `${this.config.slug}__${this.tool.name}`) found.add('RENAMED');
    return TOOL_WARNINGS.filter((warning) => found.has(warning));
  }

  /** The same, with what the tools of other servers tell. @param isLookAlike whether one has a name that looks the same */
  warningsWith(isLookAlike: boolean): ToolWarning[] {
    const { warnings } = this;
    return isLookAlike
      ? TOOL_WARNINGS.filter((each) => each === 'LOOK_ALIKE_NAME' || warnings.includes(each))
      : warnings;
  }

  /** How it differs from what was approved. Null if it does not, or nothing was approved. */
  get change(): ToolChange | null {
    const { approvedDefinition } = this.tool;
    return approvedDefinition === null ? null : toToolChange(parseDefinition(approvedDefinition), this.definition);
  }

  /** About how many bytes `change` has: both definitions, and what differs of them. */
  get changeBytes(): number {
    const { approvedDefinition, definition } = this.tool;
    return approvedDefinition === null ? 0 : 2 * (approvedDefinition.length + definition.length);
  }
}
