/** Scenarios that fail, and why. One that passes after all fails the run too: remove its line then. */
export const EXPECTED_FAILURES: Readonly<Record<string, string>> = {
  'auth/basic-cimd':
    'The scenario accepts only the fixed client id https://conformance-test.local/client-metadata.json. A gateway serves its own document, at its own public URL, and uses none on loopback because nobody could fetch it.',
  'auth/scope-step-up':
    'A warning: the server names its first scope only when tools are listed without a token. A gateway sends nothing without the token of a user, so it first asks for the scopes in the metadata. It asks for the challenged scope after that, as the scenario wants.',
  'elicitation-sep1034-client-defaults':
    'A gateway declares no elicitation to servers: they would show the user their own words as those of the gateway.',
  'sep-2322-client-request-state':
    'Servers cannot ask for input through a gateway, so there is no request whose state it could send back.',
};
