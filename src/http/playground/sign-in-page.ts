import { html } from 'hono/html';
import type { Assets } from './assets.ts';

/** Renders the page for visitors who are not signed in. It contains only public information. */
export async function renderSignInPage(assets: Assets) {
  const [icon, style, script] = await Promise.all([
    assets.urlOf('icon.svg'),
    assets.urlOf('sign-in.css'),
    assets.urlOf('sign-in.js'),
  ]);
  // The token field has no name, so that only the script can submit it. The hidden field is for password managers.
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>Sign in · Gatehouse</title>
    <link rel="icon" type="image/svg+xml" href="${icon}">
    <link rel="stylesheet" href="${style}">
    <script src="${script}" defer></script>
  </head>
  <body>
    <main>
      <img src="${icon}" alt="" width="48" height="48">
      <h1>Sign in to Gatehouse</h1>
      <p>Open the sign-in link that the gateway printed in the terminal when it started. It works once.</p>
      <p>Or sign in with a token: an API token, or the admin token from the file <code>admin-token</code> in the data
        folder.</p>
      <noscript><p class="problem">Signing in with a token needs JavaScript, and so does the playground.</p></noscript>
      <form method="post">
        <input type="text" autocomplete="username" value="token" hidden>
        <label for="token">Token</label>
        <input id="token" type="password" autocomplete="current-password" spellcheck="false" autocapitalize="none"
          required aria-describedby="problem">
        <p id="problem" class="problem" role="alert"></p>
        <button type="submit">Sign in</button>
      </form>
    </main>
  </body>
</html>
`;
}
