/** The named groups of `PLACEHOLDER`. At most one of them is present. */
export interface PlaceholderGroups {
  /** The inner text of `${…}`. */
  shell: string;
  /** The inner text of `{{…}}` and `${{…}}`. */
  doubled: string;
  /** The inner text of `$(…)`. */
  command: string;
  /** A reference to another place, see `REFERENCE`. */
  reference: string;
  braced: string;
  angled: string;
  /** `$TOKEN` */
  dollar: string;
  /** `%TOKEN%` */
  percent: string;
  /** `YOUR_API_KEY` */
  sentence: string;
}

const WORD_START = String.raw`(?<![^\s,;=:"'(\[])`;
const WORD_END = String.raw`(?![^\s,;"')\]])`;

/** Words in documents that stand for a value. */
const BLANKS = [
  String.raw`\*{3,100}|[xX]{4,100}|\.{3,100}|\u2026|_{4,100}|\u2022{3,100}`,
  String.raw`\[redacted\]|\[hidden\]|REDACTED|PLACEHOLDER|placeholder|TBD|TODO|changeme|CHANGEME|change-me|CHANGE_ME`,
  // `sk-xxxxxxxx`, `ghp_****`, `sk-...`
  String.raw`[A-Za-z][\w]{0,15}(?:[-_]\w{1,8}){0,2}[-_](?:[xX]{4,100}|\*{3,100}|\.{3,100}|\u2026)`,
].join('|');

const SENTENCES = [
  // `YOUR_API_KEY`, `your-token`, `my-YOUR-KEY`, `YOUR API KEY`
  String.raw`(?:[\w-]{0,40}YOUR|[Yy]our)(?:[_-][\w-]{1,80}|(?: [A-Z]{2,20}){1,4})`,
  String.raw`(?:REPLACE|INSERT|ENTER|PASTE|PUT|ADD|FILL|Replace|Insert|replace|insert)[_-][\w-]{1,80}`,
  String.raw`[\w-]{1,80}[_-](?:HERE|here)`,
].join('|');

/** Names of variables and places in secret stores: LiteLLM, opencode, Node, 1Password, Vault, clouds, sops, … */
const REFERENCES = [
  String.raw`os\.environ\/\w{1,100}|(?:process\.)?env\.[A-Za-z_]\w{0,99}|ENV:[A-Za-z_]\w{0,99}|env:[A-Za-z_]\w{0,99}`,
  String.raw`os\.environ\[['"]\w{1,100}['"]\]|os\.getenv\(['"]\w{1,100}['"]\)`,
  String.raw`(?:op|vault|secret|secrets|keychain|keyring|gcp-sm|aws-sm|azure-kv|doppler|infisical|bws):\/{2}[^\s"']{1,300}`,
  String.raw`vault:[\w/-]{1,200}#\w{1,100}|arn:aws:(?:secretsmanager|ssm):[^\s"']{1,300}|ENC\[[^\]\s]{1,4000}\]|!secret \w{1,100}`,
].join('|');

/** The name of the variable in a reference. */
export const REFERENCE =
  /^(?:os\.environ\/|(?:process\.)?env\.|ENV:|env:|os\.environ\[['"]|os\.getenv\(['"]|!secret )(\w+)/;

/**
 * The placeholders that people and clients write. All repetitions are bounded, because the text is untrusted. In order:
 * `${{ secrets.X }}`, `{{x}}`; `${input:x}`, `$(X)`; `{x}`, `{env:X}`; `<x>`; `$X`, `$env:X`, `%X%`, `YOUR_API_KEY`;
 * references to secret stores; blanks such as `***`.
 */
export const PLACEHOLDER = new RegExp(
  [
    String.raw`\$?\{\{{1,2}(?<doubled>[^{}]{1,100})\}{2,3}`,
    String.raw`\$\{(?<shell>[^{}]{1,100})\}`,
    String.raw`\$\((?<command>[^()]{1,200})\)`,
    String.raw`\{ ?(?<braced>[A-Za-z_][\w.:-]{0,79}(?: [\w.:-]{1,79}){0,5}|(?:env|file|secret|cmd|vault)[:.][^{}]{1,100}) ?\}`,
    `<(?<angled>[^<>]{1,80})>`,
    String.raw`(?<!\S)\$(?:env:)?(?<dollar>[A-Za-z_]\w{0,99})(?!\S)`,
    `${WORD_START}%(?<percent>[A-Za-z_]\\w{1,99})%${WORD_END}`,
    `${WORD_START}(?<reference>${REFERENCES})${WORD_END}`,
    `${WORD_START}(?<sentence>${SENTENCES})${WORD_END}`,
    `${WORD_START}(?:${BLANKS})${WORD_END}`,
  ].join('|'),
  'g',
);
