import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { readNewServerSearch } from '../pages/admin/new-server/search.ts';
import { readServerSearch } from '../pages/admin/server/search.ts';
import { readServersSearch } from '../pages/admin/servers/search.ts';
import { rootRoute } from './root-route.ts';

const getParentRoute = () => rootRoute;

/** The pages that only admins and auditors have. Each is loaded when it is opened. */
export const adminRoutes = [
  createRoute({
    getParentRoute,
    path: '/admin/servers',
    validateSearch: readServersSearch,
    component: lazyRouteComponent(() => import('../pages/admin/servers/page.tsx'), 'AdminServersPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/admin/servers/new',
    validateSearch: readNewServerSearch,
    component: lazyRouteComponent(() => import('../pages/admin/new-server/page.tsx'), 'NewServerPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/admin/servers/$id',
    validateSearch: readServerSearch,
    component: lazyRouteComponent(() => import('../pages/admin/server/page.tsx'), 'AdminServerPage'),
  }),
] as const;
