/** Scenarios that a door does not pass, and why. One that passes after all fails the run, too: remove its line then. */
export const NOT_A_DOORS: Readonly<Record<string, string>> = {
  'completion-complete': 'Completions belong to prompts and resources, which a door does not have.',
  'logging-set-level': 'Logs of servers are not passed on, so there is no level to set.',
  'tools-call-with-logging': 'Logs of servers are not passed on.',
  'tools-call-sampling': 'A door declares no sampling to servers: they get nothing from the model of a user.',
  'tools-call-elicitation': 'A door declares no elicitation to servers: they ask the user nothing.',
  'elicitation-sep1034-defaults': 'A door declares no elicitation to servers: they ask the user nothing.',
  'elicitation-sep1330-enums': 'A door declares no elicitation to servers: they ask the user nothing.',
  'resources-list': 'A door has tools only; it has no resources.',
  'resources-read-text': 'A door has tools only; it has no resources.',
  'resources-read-binary': 'A door has tools only; it has no resources.',
  'resources-templates-read': 'A door has tools only; it has no resources.',
  'resources-subscribe': 'A door has tools only; it has no resources.',
  'resources-unsubscribe': 'A door has tools only; it has no resources.',
  'prompts-list': 'A door has tools only; it has no prompts.',
  'prompts-get-simple': 'A door has tools only; it has no prompts.',
  'prompts-get-with-args': 'A door has tools only; it has no prompts.',
  'prompts-get-embedded-resource': 'A door has tools only; it has no prompts.',
  'prompts-get-with-image': 'A door has tools only; it has no prompts.',
  caching: 'The list of tools passes. The rest asks for prompts and resources, which a door does not have.',
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
