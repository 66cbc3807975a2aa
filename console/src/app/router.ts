import { createRouter } from '@tanstack/react-router';
import { adminRoutes } from './admin-routes.ts';
import { memberRoutes } from './member-routes.ts';
import { NotShown } from './not-shown.tsx';
import { rootRoute } from './root-route.ts';

/** The pages of the console. A page is loaded when it is opened. */
export const router = createRouter({
  routeTree: rootRoute.addChildren([...memberRoutes, ...adminRoutes]),
  scrollRestoration: true,
  defaultPreload: 'intent',
  defaultErrorComponent: NotShown,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
