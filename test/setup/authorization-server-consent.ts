import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Interaction, Provider } from './authorization-server-provider.ts';

/** What the end user in front of the authorization server does. */
export interface EndUser {
  /** Who logs in. */
  account: string;
  /** How many of the next consents are refused. */
  refusals: number;
}

/**
 * Answers for the end user what the authorization server asks, by a redirect: a user agent gets through without a human.
 * Logs in as the account (a browser that is logged in stays who it is), and grants what is asked, or refuses it.
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
