/** Shorter values are words or numbers that occur by themselves: without them an answer would make no sense. */
const MIN_CHARACTERS = 8;

/**
 * The texts in which a server may send back a header's value: as it was sent, without its scheme (`Bearer`), and as JSON,
 * URLs, forms, hexadecimal digits or Base64 write it, also in the middle of other data. The password of `Basic` is one
 * of them. There are some twenty, and each makes one pass over an answer.
 */
export function toForms(value: string): Set<string> {
  const [, scheme = '', bare] = /^([A-Za-z]+) +(\S.*)$/.exec(value) ?? [];
  const forms = new Set(isLong(value) ? [value, ...toJsonForms(value)] : []);
  // What encodes the whole value has these in it, too.
  for (const secret of [bare ?? value, ...(scheme.toLowerCase() === 'basic' ? toBasicForms(bare ?? '') : [])]) {
    if (!isLong(secret)) continue;
    const bytes = Buffer.from(secret);
    const hex = bytes.toString('hex');
    const json = toJsonForms(secret);
    const base64 = [secret, ...json].flatMap((text) => toBase64Forms(Buffer.from(text)));
    for (const form of [secret, ...json, ...toUrlForms(bytes.toString()), hex, hex.toUpperCase(), ...base64]) {
      forms.add(form);
    }
  }
  return forms;
}

function isLong(value: string): boolean {
  return value.length >= MIN_CHARACTERS;
}

/** The second is what libraries write that escape slashes. */
function toJsonForms(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  return [json, json.replaceAll('/', '\\/')];
}

/** Libraries differ in the characters that they encode, and in the case of the digits. */
function toUrlForms(value: string): string[] {
  const form = new URLSearchParams({ '': value }).toString().slice(1);
  const forms = [encodeURIComponent(value), form, form.replaceAll('+', '%20')];
  return [...forms, ...forms.map((each) => each.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))];
}

/** `user:password`, and the password. */
function toBasicForms(bare: string): string[] {
  const decoded = Buffer.from(bare, 'base64').toString();
  return [decoded, decoded.slice(decoded.indexOf(':') + 1)];
}

/**
 * Base64 writes three bytes as four characters, so what stands before a value shifts it in three ways. Characters that
 * also encode a part of a neighbour are left out: they tell less than a byte at each end.
 */
function toBase64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const own = encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
