/** The style of the bar above GraphiQL. It follows GraphiQL's theme, which is the system's until the user selects one. */
export const PLAYGROUND_STYLE = `:root {
  color-scheme: light dark;
  --ink: light-dark(#1b2033, #e6e8f0);
  --bar: light-dark(#fff, #1e222d);
  --line: light-dark(#d3d7e3, #383e4e);
  --edge: light-dark(#868da3, #767d93);
  --accent: light-dark(#3b5bdb, #748ffc);
}

:root:has(body.graphiql-light) {
  color-scheme: light;
}

:root:has(body.graphiql-dark) {
  color-scheme: dark;
}

body {
  display: flex;
  flex-direction: column;
  height: 100dvh;
  margin: 0;
}

#bar {
  display: flex;
  flex: none;
  align-items: center;
  gap: 0.75rem;
  padding: 0.375rem 1rem;
  border-bottom: 1px solid var(--line);
  background: var(--bar);
  color: var(--ink);
  font: 0.875rem/1.5 system-ui, sans-serif;
}

#bar h1 {
  margin: 0;
  font-size: 1rem;
}

#viewer {
  flex: 1;
  margin: 0;
  overflow: hidden;
  text-align: right;
  text-overflow: ellipsis;
  white-space: nowrap;
}

#sign-out {
  padding: 0.25rem 0.75rem;
  border: 1px solid var(--edge);
  border-radius: 0.375rem;
  background: transparent;
  color: inherit;
  font: inherit;
  cursor: pointer;
}

#sign-out:disabled {
  opacity: 0.6;
  cursor: progress;
}

#sign-out:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 2px;
}

#playground {
  flex: 1;
  min-height: 0;
}

#playground .graphiql-container {
  width: 100%;
  height: 100%;
}

/* When a tab gets the focus, GraphiQL moves it away from the pointer by a stale distance. */
#playground .graphiql-tab {
  transform: none !important;
}
`;
