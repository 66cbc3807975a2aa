import { builder } from '../builder.ts';
import { GatewayStatusType } from './type.ts';

builder.queryFields((t) => ({
  gatewayStatus: t.field({
    type: GatewayStatusType,
    description: 'Numbers about the whole gateway, counted now. For admins and auditors.',
    resolve: (_root, _args, { viewer, services }) => services.gatewayStatus.read(viewer),
  }),
}));
