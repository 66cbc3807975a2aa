import { builder } from '../builder.ts';
import { pageArgs, takeFirst, toConnection } from '../pagination.ts';
import { decodeTimeCursor, encodeTimeCursor } from '../time-cursor.ts';
import { UserType } from './type.ts';

const CURSOR_KIND = 'user';

const UserConnection = builder.connectionObject(
  { type: UserType, name: 'UserConnection', description: 'A page of users.' },
  { name: 'UserEdge', description: 'A user and their cursor.' },
);

builder.queryFields((t) => ({
  viewer: t.field({
    type: UserType,
    description: 'The user who sends the request. The other descriptions call this user "the viewer".',
    resolve: (_root, _args, { viewer, services }) => services.users.viewer(viewer),
  }),

  users: t.field({
    type: UserConnection,
    description: 'All users, oldest first. For admins and auditors.',
    args: pageArgs,
    resolve: async (_root, args, context) => {
      const { viewer, services } = context;
      const page = await services.users.list(viewer, {
        first: takeFirst(args.first, context),
        after: args.after == null ? undefined : decodeTimeCursor(context, CURSOR_KIND, args.after),
      });
      return toConnection(
        page,
        (user) => encodeTimeCursor(context, CURSOR_KIND, user),
        () => services.users.count(viewer),
      );
    },
  }),
}));
