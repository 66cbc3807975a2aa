import type { UserRecord } from '../../data/records.ts';
import { USER_ORDERS, type UserOrder } from '../../data/repositories/user-repository.ts';
import { builder } from '../builder.ts';
import { decodeCursor, encodeCursor, pageArgs, takeFirst, toConnection } from '../pagination.ts';
import { RoleEnum, UserStatusEnum, UserType } from './type.ts';

const UserConnection = builder.connectionObject(
  { type: UserType, name: 'UserConnection', description: 'A page of users.' },
  { name: 'UserEdge', description: 'A user and their cursor.' },
);

const UserFilterInput = builder.inputType('UserFilter', {
  description: 'Which users to list. All given conditions must hold.',
  fields: (t) => ({
    search: t.string({
      required: false,
      description: 'Only users whose email address contains this text, ignoring case.',
    }),
    role: t.field({ type: RoleEnum, required: false, description: 'Only users with this role.' }),
    status: t.field({ type: UserStatusEnum, required: false, description: 'Only users with this status.' }),
  }),
});

const ORDER_DESCRIPTIONS: Readonly<Record<UserOrder, string>> = {
  created_asc: 'Oldest first.',
  created_desc: 'Newest first.',
  email_asc: 'By email address, ignoring case.',
  email_desc: 'By email address, ignoring case, backwards.',
};

const UserOrderEnum = builder.enumType('UserOrder', {
  description: 'How a list of users is sorted. Cursors belong to the order of their list.',
  values: Object.fromEntries(
    USER_ORDERS.map((order) => [order.toUpperCase(), { value: order, description: ORDER_DESCRIPTIONS[order] }]),
  ) as Record<string, { value: UserOrder; description: string }>,
});

builder.queryFields((t) => ({
  viewer: t.field({
    type: UserType,
    description: 'The user who sends the request. The other descriptions call this user "the viewer".',
    resolve: (_root, _args, { viewer, services }) => services.users.viewer(viewer),
  }),

  user: t.field({
    type: UserType,
    nullable: true,
    description:
      'One user; null if there is none with this id, or if the viewer may not see them. Members see themselves.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Id of the user.' }) },
    resolve: (_root, { id }, { viewer, services }) => services.users.find(viewer, id),
  }),

  users: t.field({
    type: UserConnection,
    description: 'All users. For admins and auditors.',
    args: {
      ...pageArgs,
      filter: t.arg({ type: UserFilterInput, required: false, description: 'Restricts the list.' }),
      orderBy: t.arg({
        type: UserOrderEnum,
        required: false,
        defaultValue: 'created_asc',
        description: 'How the list is sorted.',
      }),
    },
    resolve: async (_root, args, context) => {
      const { viewer, services } = context;
      const order = args.orderBy ?? 'created_asc';
      const kind = order === 'created_asc' ? 'user' : `user ${order}`;
      const filter = {
        search: args.filter?.search ?? undefined,
        role: args.filter?.role ?? undefined,
        status: args.filter?.status ?? undefined,
      };
      const page = await services.users.list(viewer, {
        first: takeFirst(args.first, context),
        after: args.after == null ? undefined : toCursor(decodeCursor(context, kind, args.after)),
        filter,
        order,
      });
      return toConnection(
        page,
        (user) => encodeCursor(context, kind, [toKey(user, order), user.id]),
        () => services.users.count(viewer, filter),
      );
    },
  }),
}));

function toKey({ email, createdAt }: UserRecord, order: UserOrder): string {
  return order.startsWith('email') ? email : createdAt.toISOString();
}

function toCursor([key = '', id = '']: readonly string[]) {
  return { key, id };
}
