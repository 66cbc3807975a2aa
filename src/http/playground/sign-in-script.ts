/**
 * What the sign-in page does: it shows the token to the gateway, which sets the session cookie, and then loads the
 * same address again. The token goes nowhere else and is not kept.
 */
export const SIGN_IN_SCRIPT = `'use strict';

const form = document.querySelector('form');
const field = document.getElementById('token');
const problem = document.getElementById('problem');
const button = form.querySelector('button');

/** What is wrong, in a sentence; undefined once the session is there. */
async function signIn(token) {
  if (!/^[\\x21-\\x7e]+$/.test(token)) return 'This does not look like a token: it has spaces or special characters.';
  let response;
  try {
    response = await fetch('/auth/session', { method: 'POST', headers: { authorization: 'Bearer ' + token } });
  } catch {
    return 'The gateway cannot be reached. Is it still running?';
  }
  if (response.ok) return undefined;
  if (response.status === 401) return 'The gateway does not take this token: it is wrong, too old or was revoked.';
  return 'The gateway answered with status ' + response.status + '. Its log may say why.';
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  problem.textContent = '';
  button.disabled = true;
  const reason = await signIn(field.value.trim());
  if (reason === undefined) {
    location.reload();
    return;
  }
  button.disabled = false;
  problem.textContent = reason;
  field.setAttribute('aria-invalid', 'true');
  field.focus();
  field.select();
});

field.focus();
`;
