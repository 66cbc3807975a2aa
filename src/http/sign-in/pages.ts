import type { Context } from 'hono';
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { DEFAULT_RETURN_PATH } from '../../domain/sign-in/return-path.ts';
import type { PageFiles } from '../console/page-files.ts';
import { type Html, renderStandalonePage, toStandalonePolicy } from '../console/standalone-page.ts';

/** No scripts at all. */
const POLICY = toStandalonePolicy({ hasScript: false, hasForm: true });

/** The path of the sign-in page. */
export const SIGN_IN_PATH = '/auth/sign-in';
/** The path that begins a sign-in at the OpenID Connect provider. */
export const OIDC_SIGN_IN_PATH = '/auth/oidc/sign-in';

/** Renders the pages around signing in and out. */
export type Pages = ReturnType<typeof createPages>;

/** @param providerLabel what the button calls the OpenID Connect provider; undefined if there is none */
export function createPages({ files, providerLabel }: { files: PageFiles; providerLabel: string | undefined }) {
  const respond = (
    c: Context,
    status: ContentfulStatusCode,
    title: string,
    content: Html,
  ): Response | Promise<Response> => {
    c.header('content-security-policy', POLICY);
    c.header('cache-control', 'no-store');
    return c.html(renderStandalonePage(files, { title, content }), status);
  };

  return {
    /**
     * The page for visitors who are not signed in. It contains only public information.
     *
     * @param problem why the token was not accepted
     */
    signIn(
      c: Context,
      { returnTo, problem, status = 200 }: { returnTo: string; problem?: string; status?: ContentfulStatusCode },
    ) {
      const provider =
        providerLabel === undefined
          ? ''
          : html`<a class="button" href="${withReturnPath(OIDC_SIGN_IN_PATH, returnTo)}">Sign in with ${providerLabel}</a>`;
      // With `no-referrer`, browsers would send the form with the origin "null".
      c.header('referrer-policy', 'same-origin');
      const invalid = problem === undefined ? '' : html` aria-invalid="true" autofocus`;
      // The hidden field is for password managers.
      return respond(
        c,
        status,
        'Sign in to Gatehouse',
        html`${provider}
      <h2>With a one-time link</h2>
      <p>Open the sign-in link that an admin sent you, or that the gateway printed in the terminal when it started. It works
        once, and for an hour.</p>
      <h2>With a token</h2>
      <p>An API token, or the admin token from the file <code>admin-token</code> in the data folder.</p>
      <form method="post" action="${SIGN_IN_PATH}">
        <input type="hidden" name="return_to" value="${returnTo}">
        <input type="text" autocomplete="username" value="token" hidden>
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" spellcheck="false"
          autocapitalize="none" required aria-describedby="problem"${invalid}>
        <div id="problem" role="alert">${problem === undefined ? '' : html`<p class="problem">${problem}</p>`}</div>
        <button class="button${providerLabel === undefined ? '' : ' other'}" type="submit">Sign in</button>
      </form>`,
      );
    },

    /**
     * The page for a sign-in that failed.
     *
     * @param text what happened, and what to do
     * @param tryAgain where another try begins
     */
    notSignedIn(
      c: Context,
      {
        status,
        text,
        tryAgain,
        returnTo,
      }: {
        status: ContentfulStatusCode;
        text: string;
        tryAgain?: string;
        returnTo: string;
      },
    ) {
      const again = tryAgain === undefined ? '' : html`<a class="button" href="${tryAgain}">Try again</a>`;
      return respond(
        c,
        status,
        'Not signed in',
        html`<p role="alert">${text}</p>
      ${again}
      <a class="button other" href="${withReturnPath(SIGN_IN_PATH, returnTo)}">Sign in another way</a>`,
      );
    },

    /** The page in place of the playground, for gateways that take only trusted documents. */
    trustedOnly(c: Context) {
      return respond(
        c,
        200,
        'The playground is off',
        html`<p>This gateway takes only trusted documents (<code>GATEHOUSE_TRUSTED_DOCUMENTS_ONLY</code>). It would refuse what
        you write here, for admins, too.</p>
      <a class="button" href="/">Open the console</a>`,
      );
    },

    /** @param endSessionUrl where the browser signs out at the provider, too */
    signedOut(c: Context, { endSessionUrl }: { endSessionUrl: string | undefined }) {
      const further =
        endSessionUrl === undefined
          ? ''
          : html`<p>If you signed in with ${providerLabel}, you are still signed in there.</p>
      <a class="button" href="${endSessionUrl}" rel="nofollow">Sign out of ${providerLabel}</a>`;
      return respond(
        c,
        200,
        'You are signed out',
        html`${further}
      <a class="button other" href="${SIGN_IN_PATH}">Sign in again</a>`,
      );
    },
  };
}

/** The address of a page that leads back to a path. */
export function withReturnPath(path: string, returnTo: string): string {
  return returnTo === DEFAULT_RETURN_PATH ? path : `${path}?${new URLSearchParams({ return_to: returnTo })}`;
}
