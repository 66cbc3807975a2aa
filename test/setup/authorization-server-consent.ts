import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Interaction, Provider } from './authorization-server-provider.ts';

/** The behaviour of the end user at the authorization server. */
export interface EndUser {
  /** The user who logs in. */
  account: string;
  /** How many of the next consents are refused. */
  refusals: number;
}

/**
 * Answers the authorization server's questions for the end user by redirects, so that no human is needed. Logs in as
 * the account (a logged-in browser keeps its user), and grants or refuses the request.
 */
export async function answerInteraction(
  provider: Provider,
  endUser: EndUser,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const interaction = await provider.interactionDetails(request, response);
  const result = await decide(provider, endUser, interaction);
  await provider.interactionFinished(request, response, result);
}

async function decide(provider: Provider, endUser: EndUser, interaction: Interaction): Promise<unknown> {
  const { prompt, params, session } = interaction;
  if (prompt.name === 'login') return { login: { accountId: endUser.account } };
  if (endUser.refusals > 0) {
    endUser.refusals -= 1;
    return { error: 'access_denied', error_description: 'the user said no' };
  }
  const accountId = session?.accountId ?? endUser.account;
  const earlier = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId);
  const grant = earlier ?? new provider.Grant({ accountId, clientId: params.client_id });
  const { missingOIDCScope = [], missingResourceScopes = {} } = prompt.details;
  if (missingOIDCScope.length > 0) grant.addOIDCScope(missingOIDCScope);
  for (const [resource, scopes] of Object.entries(missingResourceScopes)) grant.addResourceScope(resource, scopes);
  return { consent: { grantId: await grant.save() } };
}
