import type { Viewer } from './viewer.tsx';

/** A link in the navigation. */
export interface NavigationLink {
  to: '/' | '/account';
  text: string;
  /** Whether the viewer may see the page. */
  isFor?: (viewer: Viewer) => boolean;
}

/** A group of links, in the order of the navigation. */
export interface NavigationGroup {
  title?: string;
  links: readonly NavigationLink[];
}

/** The navigation. The pages of admins are a group of their own. */
export const NAVIGATION: readonly NavigationGroup[] = [
  {
    links: [
      { to: '/', text: 'My servers' },
      { to: '/account', text: 'My account' },
    ],
  },
];
