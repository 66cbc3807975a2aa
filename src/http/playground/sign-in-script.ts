/**
 * The script of the sign-in page: sends the token to the gateway, which sets the session cookie, then reloads the page.
 * The token is sent nowhere else and is not stored.
 */
export const SIGN_IN_SCRIPT = `'use strict';

const form = document.querySelector('form');
const field = document.getElementById('token');
const problem = document.getElementById('problem');
const button = form.querySelector('button');

/** Returns an error message, or undefined after the sign-in succeeded. */
async function signIn(token) {
  if (!/^[\\x21-\\x7e]+$/.test(token)) return 'This does not look like a token: it contains spaces or special characters.';
  let response;
  try {
    response = await fetch('/auth/session', { method: 'POST', headers: { authorization: 'Bearer ' + token } });
  } catch {
    return 'Cannot reach the gateway. Is it still running?';
  }
  if (response.ok) return undefined;
  if (response.status === 401) return 'The gateway rejected this token: it is wrong, expired or revoked.';
  return 'The gateway responded with status ' + response.status + '. Its log may have the reason.';
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
