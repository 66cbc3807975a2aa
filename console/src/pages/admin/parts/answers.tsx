import { Status, type Tone } from '../../../ui/status.tsx';
import type { McpReachabilityState } from '../generated/graphql.ts';

const ANSWERS: Readonly<Record<McpReachabilityState, { tone: Tone; text: string }>> = {
  REACHABLE: { tone: 'good', text: 'Answers' },
  UNREACHABLE: { tone: 'bad', text: 'Does not answer' },
  UNKNOWN: { tone: 'quiet', text: 'Not asked yet' },
};

/** Whether a server answers. */
export function Answers({ state }: { state: McpReachabilityState }) {
  return <Status tone={ANSWERS[state].tone}>{ANSWERS[state].text}</Status>;
}

/** Whether a server is turned on, and can be. */
export function OnOff({ server: { enabled, viewerState } }: { server: { enabled: boolean; viewerState: string } }) {
  if (viewerState === 'UNAVAILABLE') return <Status tone="bad">A secret does not open</Status>;
  return <Status tone={enabled ? 'good' : 'quiet'}>{enabled ? 'On' : 'Off'}</Status>;
}
