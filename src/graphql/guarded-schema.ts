import { chargeFields } from './budget/charge-fields.ts';
import { guardRootFields } from './permissions.ts';
import { buildSchema } from './schema.ts';

/** The schema of all gateways of this process, with the guard on root fields. It holds nothing of any of them. */
export const guardedSchema = chargeFields(guardRootFields(buildSchema()));
