import type { McpProblem } from '../generated/graphql.ts';
import styles from './problem.module.css';

interface Words {
  text: string;
  /** What to do, where it is known. */
  advice?: string;
}

const REACH = 'Check that the server runs, and that its firewall lets the gateway in.';

/** Why a server could not be used, in words. */
const PROBLEMS: Readonly<Record<McpProblem, Words>> = {
  ADDRESS_REFUSED: {
    text: 'Its address is one that the gateway may not call.',
    advice: 'Use a public address. An operator can allow a private one with GATEHOUSE_ALLOWED_PRIVATE_CIDRS.',
  },
  BUSY: { text: 'Too many calls of it ran at the same time.', advice: 'Try again when some have ended.' },
  CANCELLED: { text: 'The call was given up before it answered.', advice: 'Test it again.' },
  CIRCUIT_OPEN: {
    text: 'It failed several times in a row, so the gateway leaves it alone for a while.',
    advice: 'Test it: the test says what is wrong.',
  },
  CLOSED: { text: 'The connection ended because its settings changed.', advice: 'Test it again.' },
  CONNECTION_FAILED: { text: 'It cannot be reached, or it closed the connection.', advice: REACH },
  ENCODED: {
    text: 'It answered with a compression that the gateway did not ask for.',
    advice: 'Make the server answer without compression when none is accepted.',
  },
  FORBIDDEN: {
    text: 'It refuses access.',
    advice: 'Check what the credentials allow, and whether the server lets the gateway in.',
  },
  HTTP_ERROR: { text: 'It refused the request.', advice: 'Check the URL, and look at the log of the server.' },
  INPUT_REQUIRED: { text: 'It asked for input, which the gateway cannot give.' },
  INSUFFICIENT_SCOPE: {
    text: 'It wants more scopes than were granted.',
    advice: 'Add them to the scopes in the settings. Then connect again.',
  },
  NOT_MCP: {
    text: 'There is no MCP server at its URL.',
    advice: "Check the URL's path, and the transport: older servers need SSE.",
  },
  NOT_RESOLVED: {
    text: 'The name in its URL has no address.',
    advice: 'Check the name in the URL, and the DNS of the gateway.',
  },
  PROTOCOL_ERROR: {
    text: 'Its answers break the Model Context Protocol.',
    advice: 'Tell the author of the server.',
  },
  PROTOCOL_REVISION: {
    text: 'It speaks no version of the protocol that the gateway knows.',
    advice: 'Update the server, or the gateway.',
  },
  RATE_LIMITED: { text: 'It got too many requests.', advice: 'Wait, then try again.' },
  REDIRECTED: { text: 'It answered with a redirect.', advice: 'Enter the address that it redirects to.' },
  REFUSED: { text: 'It answered with an error.', advice: 'Look at the log of the server.' },
  TIMEOUT: { text: 'It did not answer in time.', advice: REACH },
  TLS_FAILED: {
    text: 'The gateway does not trust its certificate.',
    advice: 'Give the server a certificate of a known authority, for the name in the URL.',
  },
  TOO_DEEP: { text: 'Its answer is nested deeper than the gateway accepts.', advice: 'Tell the author of the server.' },
  TOO_LARGE: { text: 'Its answer is larger than the gateway accepts.', advice: 'Tell the author of the server.' },
  UNAUTHORIZED: {
    text: 'It does not accept the credentials, or needs some.',
    advice: 'Check how it signs users in, and the credentials.',
  },
  UNAVAILABLE: { text: 'It has a problem of its own.', advice: 'Look at the log of the server.' },
  URL_ELICITATION_REQUIRED: { text: 'It wants the user to open a page first.' },
  URL_REFUSED: { text: 'Its URL may only be called over https.', advice: 'Use an https URL.' },
};

/**
 * What is wrong with a server, as a sentence, with what to do. The code is for the documentation and for logs.
 *
 * @param isBrief leaves out what to do
 */
export function Problem({ code, isBrief = false }: { code: string; isBrief?: boolean }) {
  const { text, advice }: Words = Object.hasOwn(PROBLEMS, code)
    ? PROBLEMS[code as McpProblem]
    : { text: 'The server could not be used.' };
  return (
    <span className={styles.problem}>
      {text} {advice !== undefined && !isBrief && <span className={styles.advice}>{advice}</span>} <code>{code}</code>
    </span>
  );
}
