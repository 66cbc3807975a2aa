import { validationFailed } from '../../errors.ts';
import type { FieldReader, FilePath } from './field-reader.ts';
import type { ReadResult, ServerFileFormat } from './imported-server.ts';

/** An entry of a file that is not read yet. */
export interface Entry {
  /** Its name in the file, for when it cannot be read. */
  name: string;
  path: FilePath;
  value: unknown;
  read: (reader: FieldReader) => ReadResult;
}

/** All entries of a file. */
export interface Listing {
  format: ServerFileFormat;
  entries: Entry[];
  /** Notes about the rest of the file. */
  notes: string[];
}

/** A problem with the whole file. */
export function fileProblem(code: string, message: string, path: FilePath = []): Error {
  return validationFailed([{ path, code, message }]);
}
