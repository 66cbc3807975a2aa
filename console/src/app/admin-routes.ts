import { createRoute } from '@tanstack/react-router';
import { readAuditSearch } from '../pages/admin/audit/search.ts';
import { readNewServerSearch } from '../pages/admin/new-server/search.ts';
import { readPeopleSearch } from '../pages/admin/people/search.ts';
import { readServerSearch } from '../pages/admin/server/search.ts';
import { readServersSearch } from '../pages/admin/servers/search.ts';
import { lazyPage } from './lazy-page.ts';
import { rootRoute } from './root-route.ts';

const getParentRoute = () => rootRoute;

/** The pages that only admins and auditors have. Each is loaded when it is opened. */
export const adminRoutes = [
  createRoute({
    getParentRoute,
    path: '/admin/servers',
    validateSearch: readServersSearch,
    component: lazyPage(() => import('../pages/admin/servers/page.tsx'), 'AdminServersPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/admin/servers/new',
    validateSearch: readNewServerSearch,
    component: lazyPage(() => import('../pages/admin/new-server/page.tsx'), 'NewServerPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/admin/servers/$id',
    validateSearch: readServerSearch,
    component: lazyPage(() => import('../pages/admin/server/page.tsx'), 'AdminServerPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/admin/people',
    validateSearch: readPeopleSearch,
    component: lazyPage(() => import('../pages/admin/people/page.tsx'), 'PeoplePage'),
  }),
  createRoute({
    getParentRoute,
    path: '/admin/people/$id',
    component: lazyPage(() => import('../pages/admin/person/page.tsx'), 'PersonPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/admin/audit',
    validateSearch: readAuditSearch,
    component: lazyPage(() => import('../pages/admin/audit/page.tsx'), 'AuditPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/admin/keys',
    component: lazyPage(() => import('../pages/admin/keys/page.tsx'), 'KeysPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/admin',
    component: lazyPage(() => import('../pages/admin/overview/page.tsx'), 'OverviewPage'),
  }),
] as const;
