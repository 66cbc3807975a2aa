import type { ApiTokenRecord } from '../../data/records.ts';
import {
  API_TOKEN_ORDERS,
  API_TOKEN_STATES,
  type ApiTokenOrder,
  type ApiTokenState,
  toTokenPlace,
} from '../../data/repositories/api-token-list.ts';
import { builder } from '../builder.ts';
import { decodeCursor, encodeCursor, pageArgs, takeFirst, toConnection } from '../pagination.ts';
import { UserType } from '../user/type.ts';
import { ApiTokenScopeEnum, ApiTokenType } from './type.ts';

builder.objectFields(ApiTokenType, (t) => ({
  user: t.field({
    type: UserType,
    nullable: true,
    description: 'The user that the token belongs to; null if they were deleted.',
    resolve: ({ userId }: ApiTokenRecord, _args, { loaders }) => loaders.userById.load(userId),
  }),
}));

const ApiTokenConnection = builder.connectionObject(
  { type: ApiTokenType, name: 'ApiTokenConnection', description: 'A page of API tokens.' },
  { name: 'ApiTokenEdge', description: 'An API token and its cursor.' },
);

const STATE_DESCRIPTIONS: Readonly<Record<ApiTokenState, string>> = {
  active: 'It can be used, if its user is active.',
  expired: 'Its time is over, and it was not revoked.',
  revoked: 'It was revoked.',
};

const ApiTokenStateEnum = builder.enumType('ApiTokenState', {
  description: 'Whether an API token can be used.',
  values: Object.fromEntries(
    API_TOKEN_STATES.map((state) => [state.toUpperCase(), { value: state, description: STATE_DESCRIPTIONS[state] }]),
  ) as Record<string, { value: ApiTokenState; description: string }>,
});

const ApiTokenFilterInput = builder.inputType('ApiTokenFilter', {
  description: 'Which API tokens to list. All given conditions must hold.',
  fields: (t) => ({
    userId: t.field({ type: 'UUID', required: false, description: 'Only tokens of this user.' }),
    search: t.string({ required: false, description: 'Only tokens whose name contains this text, ignoring case.' }),
    scope: t.field({ type: ApiTokenScopeEnum, required: false, description: 'Only tokens that have this scope.' }),
    state: t.field({ type: ApiTokenStateEnum, required: false, description: 'Only tokens in this state.' }),
  }),
});

const ORDER_DESCRIPTIONS: Readonly<Record<ApiTokenOrder, string>> = {
  created_asc: 'Oldest first.',
  created_desc: 'Newest first.',
  name_asc: 'By name, ignoring case.',
  name_desc: 'By name, ignoring case, backwards.',
  used_asc: 'Those first that have not been used for longest, or never.',
  used_desc: 'Those first that were used last.',
};

const ApiTokenOrderEnum = builder.enumType('ApiTokenOrder', {
  description: 'How a list of API tokens is sorted. Cursors belong to the order of their list.',
  values: Object.fromEntries(
    API_TOKEN_ORDERS.map((order) => [order.toUpperCase(), { value: order, description: ORDER_DESCRIPTIONS[order] }]),
  ) as Record<string, { value: ApiTokenOrder; description: string }>,
});

builder.queryFields((t) => ({
  apiTokens: t.field({
    type: ApiTokenConnection,
    description: 'The API tokens of all users for admins and auditors; only their own for everybody else.',
    args: {
      ...pageArgs,
      filter: t.arg({ type: ApiTokenFilterInput, required: false, description: 'Restricts the list.' }),
      orderBy: t.arg({
        type: ApiTokenOrderEnum,
        required: false,
        defaultValue: 'created_asc',
        description: 'How the list is sorted.',
      }),
    },
    resolve: async (_root, args, context) => {
      const { viewer, services } = context;
      const order = args.orderBy ?? 'created_asc';
      const kind = `api-token ${order}`;
      const filter = {
        userId: args.filter?.userId ?? undefined,
        search: args.filter?.search ?? undefined,
        scope: args.filter?.scope ?? undefined,
        state: args.filter?.state ?? undefined,
      };
      const page = await services.apiTokens.list(viewer, {
        first: takeFirst(args.first, context),
        after: args.after == null ? undefined : toPlace(decodeCursor(context, kind, args.after)),
        filter,
        order,
      });
      return toConnection(
        page,
        (token) => {
          const { key, id } = toTokenPlace(token, order);
          return encodeCursor(context, kind, [key, id]);
        },
        () => services.apiTokens.count(viewer, filter),
      );
    },
  }),
}));

function toPlace([key = '', id = '']: readonly string[]) {
  return { key, id };
}
