/** The style of the sign-in page, light or dark as the browser prefers. */
export const SIGN_IN_STYLE = `:root {
  color-scheme: light dark;
  --ink: light-dark(#1b2033, #e6e8f0);
  --paper: light-dark(#f4f5f9, #14171f);
  --card: light-dark(#fff, #1e222d);
  --line: light-dark(#868da3, #767d93);
  --accent: light-dark(#3b5bdb, #748ffc);
  --on-accent: light-dark(#fff, #10131a);
  --alarm: light-dark(#b3261e, #ffb4ab);
}

* {
  box-sizing: border-box;
}

body {
  display: grid;
  place-items: center;
  min-height: 100dvh;
  margin: 0;
  padding: 1rem;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}

main {
  width: min(28rem, 100%);
  padding: 2rem;
  border-radius: 0.75rem;
  background: var(--card);
  box-shadow: 0 1px 3px rgb(0 0 0 / 15%), 0 8px 32px rgb(0 0 0 / 8%);
}

h1 {
  margin: 0.75rem 0 1rem;
  font-size: 1.5rem;
  line-height: 1.2;
}

p {
  margin: 0 0 1rem;
}

code {
  font-family: ui-monospace, monospace;
}

label {
  display: block;
  margin-bottom: 0.25rem;
  font-weight: 600;
}

input,
button {
  width: 100%;
  padding: 0.625rem 0.75rem;
  border: 1px solid var(--line);
  border-radius: 0.375rem;
  font: inherit;
}

input {
  background: transparent;
  color: inherit;
  font-family: ui-monospace, monospace;
}

button {
  border-color: var(--accent);
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
  cursor: pointer;
}

button:disabled {
  opacity: 0.6;
  cursor: progress;
}

:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 2px;
}

.problem {
  min-height: 1.5rem;
  margin: 0.5rem 0;
  color: var(--alarm);
}
`;
