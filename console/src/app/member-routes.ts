import { createRoute } from '@tanstack/react-router';
import { ServersPage } from '../pages/servers/page.tsx';
import { lazyPage } from './lazy-page.ts';
import { rootRoute } from './root-route.ts';

const getParentRoute = () => rootRoute;

/** The pages that everybody has. */
export const memberRoutes = [
  createRoute({
    getParentRoute,
    path: '/',
    // The first page that most people open: it is part of the first load.
    component: ServersPage,
  }),
  createRoute({
    getParentRoute,
    path: '/servers/$slug',
    component: lazyPage(() => import('../pages/server/page.tsx'), 'ServerPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/chats',
    component: lazyPage(() => import('../pages/chats/page.tsx'), 'ChatsPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/chats/$chatId',
    component: lazyPage(() => import('../pages/chat/page.tsx'), 'ChatPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/account',
    component: lazyPage(() => import('../pages/account/page.tsx'), 'AccountPage'),
  }),
] as const;
