/** Scenarios that a door does not pass, and why. One that passes after all fails the run, too: remove its line then. */
export const NOT_A_DOORS: Readonly<Record<string, string>> = {
  'completion-complete': 'Completions are not passed on.',
  'logging-set-level': 'Logs of servers are not passed on, so there is no level to set.',
  'tools-call-with-logging': 'Logs of servers are not passed on.',
  'tools-call-sampling': 'A door declares no sampling to servers: they get nothing from the model of a user.',
  'tools-call-elicitation': 'A door declares no elicitation to servers: they ask the user nothing.',
  'elicitation-sep1034-defaults': 'A door declares no elicitation to servers: they ask the user nothing.',
  'elicitation-sep1330-enums': 'A door declares no elicitation to servers: they ask the user nothing.',
  'resources-subscribe': 'A door has no sessions, so it cannot tell later that a resource changed.',
  'resources-unsubscribe': 'A door has no sessions, so it cannot tell later that a resource changed.',
  'server-stateless':
    'Two of its 28 checks call a tool that needs sampling, which servers cannot do behind a door. The rest passes.',
  'input-required-result-basic-elicitation':
    'Servers cannot ask for input through a door: it would show the user words of a server as its own.',
  'input-required-result-basic-sampling':
    'Servers cannot ask for input through a door: it would show the user words of a server as its own.',
  'input-required-result-basic-list-roots':
    'Servers cannot ask for input through a door: it would show the user words of a server as its own.',
  'input-required-result-request-state':
    'Servers cannot ask for input through a door: it would show the user words of a server as its own.',
  'input-required-result-multiple-input-requests':
    'Servers cannot ask for input through a door: it would show the user words of a server as its own.',
  'input-required-result-multi-round':
    'Servers cannot ask for input through a door: it would show the user words of a server as its own.',
  'input-required-result-non-tool-request':
    'Servers cannot ask for input through a door: it would show the user words of a server as its own.',
  'input-required-result-result-type':
    'Servers cannot ask for input through a door: it would show the user words of a server as its own.',
  'input-required-result-tampered-state':
    'Servers cannot ask for input through a door: it would show the user words of a server as its own.',
  'input-required-result-capability-check':
    'Servers cannot ask for input through a door: it would show the user words of a server as its own.',
};

const PREFIXED = 'The suite asks for names and URIs of its own. At this door they have those of the door.';

/** What the door of several servers does not pass besides. */
export const NOT_WITH_PREFIX: Readonly<Record<string, string>> = {
  'tools-call-image': PREFIXED,
  'tools-call-audio': PREFIXED,
  'tools-call-embedded-resource': PREFIXED,
  'tools-call-mixed-content': PREFIXED,
  'tools-call-with-progress': PREFIXED,
  'resources-read-text': PREFIXED,
  'resources-read-binary': PREFIXED,
  'resources-templates-read': PREFIXED,
  'prompts-get-simple': PREFIXED,
  'prompts-get-with-args': PREFIXED,
  'prompts-get-embedded-resource': PREFIXED,
  'prompts-get-with-image': PREFIXED,
};
