import { VERSION } from '../package.ts';

/**
 * The `User-Agent` of every outbound request (RFC 9110, section 10.1.5). Web application firewalls refuse requests
 * without one, and operators of other servers can recognize the gateway by it.
 */
export const USER_AGENT = `Gatehouse/${VERSION}`;
