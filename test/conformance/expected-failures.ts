/** Scenarios that fail, and why. One that passes after all fails the run too: remove its line then. */
export const EXPECTED_FAILURES: Readonly<Record<string, string>> = {
  'auth/basic-cimd':
    'The scenario accepts only the fixed client id https://conformance-test.local/client-metadata.json. A gateway serves its own document, at its own public URL, and uses none on loopback because nobody could fetch it.',
};
